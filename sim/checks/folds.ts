import type { Stamp } from "../app.ts"
import { type Check, foldOf } from "../evidence.ts"
import { stampOf } from "../stamp.ts"
import type { Subscriber } from "../subscriber.ts"
import type { TrueEntry, Truth } from "../truth.ts"

/** In the end, every subscriber holds what all entries fold to; on the way, no key ever went back. */
export const checkFolds: Check = ({ ledger, truth, present }) => {
  const complaints: string[] = []
  for (const subscriber of ledger.subscribers) {
    const who = `${subscriber.client} on ${subscriber.channel}`
    complaints.push(...backwards(subscriber, truth).map((what) => `order: ${who} ${what}`))
    const view = subscriber.view()
    if (!view.open) continue
    const life = truth.life(subscriber.channel)
    if (!subscriber.channel.startsWith("feed"))
      complaints.push(
        ...differences(view.state, foldOf(life, "state")).map((what) => `state: ${who} ${what}`),
      )
    if (subscriber.channel.startsWith("board")) {
      const members = differences(view.members, foldOf(life, "presence"))
      complaints.push(...members.map((what) => `presence: ${who} ${what}`))
    }
  }
  for (const [channel, members] of present ?? []) {
    const listed = foldOf(truth.life(channel), "presence")
    for (const [member, id] of members) {
      if (!listed.has(member))
        complaints.push(`presence: ${member} (${id}) is in ${channel}, and is not listed`)
      else if (stampOf(listed.get(member) as TrueEntry).id !== id)
        complaints.push(`presence: ${member} is in ${channel} with ${id}, and is listed with another`)
    }
    for (const [member, entry] of listed) {
      if (!members.has(member))
        complaints.push(`presence: ${member} (#${entry.offset}) is listed in ${channel}, and is gone`)
    }
  }
  return complaints
}

function differences(held: ReadonlyMap<string, Stamp>, fold: ReadonlyMap<string, TrueEntry>): string[] {
  const found: string[] = []
  for (const key of new Set([...held.keys(), ...fold.keys()])) {
    const entry = fold.get(key)
    const [mine, real] = [held.get(key)?.id, entry === undefined ? undefined : stampOf(entry).id]
    if (mine !== real) found.push(`holds ${mine} for ${key}; it is ${real}`)
  }
  return found
}

/** Values have to come in the order of their offsets, key by key, within one life of the log. */
function backwards({ told, channel }: Subscriber, truth: Truth): string[] {
  const found: string[] = []
  let offsets = new Map<string, number>()
  let epoch: string | undefined
  for (const each of told) {
    if (each.type !== "state" || each.value === undefined || each.position === undefined) continue
    if (each.position.epoch !== epoch) offsets = new Map()
    epoch = each.position.epoch
    const { id } = each.value
    const entry = truth.life(channel, epoch).entries.find((candidate) => candidate.id === id)
    if (entry === undefined) found.push(`was told that ${each.key} is ${id}, which ${epoch} does not know`)
    else if (entry.offset < (offsets.get(each.key) ?? 0))
      found.push(`was told that ${each.key} is ${id} (#${entry.offset}) after #${offsets.get(each.key)}`)
    else offsets.set(each.key, entry.offset)
  }
  return found
}
