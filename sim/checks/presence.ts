import { PRESENCE, placeOf } from "../collections.ts"
import { type Check, foldOf } from "../evidence.ts"
import { stampOf } from "../stamp.ts"

/** A client that is present is listed, with what it entered with last, and no other is. */
export const checkPresence: Check = ({ truth, present }) => {
  const complaints: string[] = []
  for (const [channel, members] of present ?? []) {
    const listed = foldOf(truth.life(channel), (collection) => collection === PRESENCE)
    for (const [member, id] of members) {
      if (id === undefined) continue
      const entry = listed.get(placeOf(PRESENCE, member))
      if (entry === undefined)
        complaints.push(`presence: ${member} (${id}) is in ${channel}, and is not listed`)
      else if (stampOf(entry).id !== id)
        complaints.push(`presence: ${member} is in ${channel} with ${id}, and is listed with another`)
    }
    for (const { key, offset } of listed.values()) {
      if (!members.has(key))
        complaints.push(`presence: ${key} (#${offset}) is listed in ${channel}, and is gone`)
    }
  }
  return complaints
}
