import { hasPresence, hasState, isLoaded } from "../app.ts"
import { collectionOf, isState, PRESENCE } from "../collections.ts"
import { type Check, type Evidence, foldOf } from "../evidence.ts"
import { lossesOf } from "../losses.ts"
import { stampOf } from "../stamp.ts"
import type { Held, Subscriber } from "../subscriber.ts"
import type { TrueEntry, Truth } from "../truth.ts"

/**
 * In the end, every subscriber holds what all entries fold to. On the way, it holds at each position what was changed up to there, and
 * no key ever goes back.
 */
export const checkFolds: Check = (evidence) => {
  const { ledger, truth, database } = evidence
  const complaints: string[] = []
  for (const subscriber of ledger.subscribers) {
    const who = `${subscriber.client} on ${subscriber.channel}`
    complaints.push(...backwards(subscriber, truth).map((what) => `order: ${who} ${what}`))
    complaints.push(...stale(evidence, subscriber).map((what) => `no silent loss: ${who} ${what}`))
    const view = subscriber.view()
    if (!view.open) continue
    const { channel } = subscriber
    const life = truth.life(channel)
    const complain = (what: string, found: readonly string[]) =>
      complaints.push(...found.map((each) => `${what}: ${who} ${each}`))
    if (hasState(channel))
      complain("state", differences(only(view.held, isState), entryIds(foldOf(life, isState))))
    if (hasPresence(channel)) {
      complain("presence", differences(only(view.held, isPresence), entryIds(foldOf(life, isPresence))))
    }
    if (view.followed !== undefined) {
      const loaded = new Map(database.load(channel).map((id) => [id, id]))
      complain(
        "follow",
        differences(view.followed, isLoaded(channel) ? loaded : entryIds(foldOf(life, isState))),
      )
    }
  }
  return complaints
}

function isPresence(collection: string): boolean {
  return collection === PRESENCE
}

function only(held: Held, isWanted: (collection: string) => boolean): Map<string, string> {
  return new Map([...held].filter(([place]) => isWanted(collectionOf(place))))
}

function entryIds(fold: ReadonlyMap<string, TrueEntry>): Map<string, string> {
  return new Map([...fold].map(([place, entry]) => [place, stampOf(entry).id]))
}

function differences(held: ReadonlyMap<string, string>, real: ReadonlyMap<string, string>): string[] {
  return [...new Set([...held.keys(), ...real.keys()])]
    .filter((place) => held.get(place) !== real.get(place))
    .map((place) => `holds ${held.get(place)} for ${place}; it is ${real.get(place)}`)
}

/**
 * A subscriber at a position holds, of each key, the change that was the last one by then; unless the log had a later one behind
 * that position, which is then still to come.
 */
function stale({ truth, profile }: Evidence, { told, channel }: Subscriber): string[] {
  const found = new Set<string>()
  for (const { position, held, atMs } of told) {
    if (position === undefined || held === undefined) continue
    const { epoch, offset } = position
    const last = new Map<string, TrueEntry>(lossesOf(truth.life(channel, epoch), profile).latest(atMs))
    for (const [place, entry] of last) {
      if (entry.offset > offset) continue
      const wanted = entry.operation === "remove" ? undefined : stampOf(entry).id
      if (held.get(place) !== wanted)
        found.add(
          `held ${held.get(place)} for ${place} at ${epoch}#${offset}; it was ${wanted} since #${entry.offset}`,
        )
    }
    for (const [place, id] of held)
      if (!last.has(place)) found.add(`held ${id} for ${place} at ${epoch}#${offset}, which there never was`)
  }
  return [...found]
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
    const entry = truth.life(channel, epoch).byId.get(id)
    const { place } = each
    if (entry === undefined) found.push(`was told that ${place} is ${id}, which ${epoch} does not know`)
    else if (entry.offset < (offsets.get(place) ?? 0))
      found.push(`was told that ${place} is ${id} (#${entry.offset}) after #${offsets.get(place)}`)
    else offsets.set(place, entry.offset)
  }
  return found
}
