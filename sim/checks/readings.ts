import { placeOf } from "../collections.ts"
import type { Check } from "../evidence.ts"
import type { Reading } from "../reader.ts"
import { stampOf } from "../stamp.ts"
import type { Life } from "../truth.ts"

/** What the server's own code reads of a state was so at some time between the question and the answer, key by key. */
export const checkReadings: Check = ({ ledger, truth }) =>
  ledger.readings.flatMap((reading) => {
    const { channel, epoch, startedAtMs, endedAtMs } = reading
    // a log that began anew meanwhile may be read in either of its lives
    const isOneLife = truth.epochs.every(
      (each) => each === epoch || !truth.began(each, startedAtMs, endedAtMs),
    )
    if (!isOneLife) return []
    return wrongKeys(truth.life(channel, epoch), reading).map((what) => `reads: ${channel} ${what}`)
  })

function wrongKeys({ entries }: Life, { collection, startedAtMs, endedAtMs, held }: Reading): string[] {
  const possible = new Map<string, (string | undefined)[]>()
  for (const entry of entries) {
    if (entry.collection !== collection || entry.appendedAtMs > endedAtMs) continue
    const place = placeOf(collection, entry.key)
    const id = entry.operation === "remove" ? undefined : stampOf(entry).id
    const before = possible.get(place) ?? [undefined]
    possible.set(place, entry.appendedAtMs < startedAtMs ? [id] : [...before, id])
  }
  return [...new Set([...possible.keys(), ...held.keys()])]
    .filter((place) => !(possible.get(place) ?? [undefined]).includes(held.get(place)))
    .map(
      (place) => `was read with ${held.get(place)} for ${place}; it was ${possible.get(place)?.join(" or ")}`,
    )
}
