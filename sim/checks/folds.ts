import { hasPresence, hasState, isLoaded, type Stamp } from "../app.ts"
import { type Check, foldOf } from "../evidence.ts"
import { stampOf } from "../stamp.ts"
import type { Subscriber } from "../subscriber.ts"
import type { TrueEntry, Truth } from "../truth.ts"

/** In the end, every subscriber holds what all entries fold to; on the way, no key ever went back. */
export const checkFolds: Check = ({ ledger, truth, present, database }) => {
  const complaints: string[] = []
  for (const subscriber of ledger.subscribers) {
    const who = `${subscriber.client} on ${subscriber.channel}`
    complaints.push(...backwards(subscriber, truth).map((what) => `order: ${who} ${what}`))
    const view = subscriber.view()
    if (!view.open) continue
    const { channel } = subscriber
    const life = truth.life(channel)
    const complain = (what: string, found: readonly string[]) =>
      complaints.push(...found.map((each) => `${what}: ${who} ${each}`))
    const state = entryIds(foldOf(life, "state"))
    if (hasState(channel)) complain("state", differences(stampIds(view.state), state))
    if (hasPresence(channel)) {
      const members = entryIds(foldOf(life, "presence"))
      complain("presence", differences(stampIds(view.members), members))
    }
    if (view.followed !== undefined) {
      const loaded = new Map(database.load(channel).map((id) => [id, id]))
      complain("follow", differences(view.followed, isLoaded(channel) ? loaded : state))
    }
  }
  for (const [channel, members] of present ?? []) {
    const listed = foldOf(truth.life(channel), "presence")
    for (const [member, id] of members) {
      if (id === undefined) continue
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

function stampIds(values: ReadonlyMap<string, Stamp>): Map<string, string> {
  return new Map([...values].map(([key, { id }]) => [key, id]))
}

function entryIds(fold: ReadonlyMap<string, TrueEntry>): Map<string, string> {
  return new Map([...fold].map(([key, entry]) => [key, stampOf(entry).id]))
}

function differences(held: ReadonlyMap<string, string>, real: ReadonlyMap<string, string>): string[] {
  return [...new Set([...held.keys(), ...real.keys()])]
    .filter((key) => held.get(key) !== real.get(key))
    .map((key) => `holds ${held.get(key)} for ${key}; it is ${real.get(key)}`)
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
    if (entry === undefined) found.push(`was told that ${each.key} is ${id}, which ${epoch} does not know`)
    else if (entry.offset < (offsets.get(each.key) ?? 0))
      found.push(`was told that ${each.key} is ${id} (#${entry.offset}) after #${offsets.get(each.key)}`)
    else offsets.set(each.key, entry.offset)
  }
  return found
}
