import type { ChannelMatch } from "../../contract/index.ts"
import type { Retention } from "../../log/operation.ts"
import { EVENTS, PRESENCE, stateCollection } from "./facets.ts"

/** What a channel retains unless it says otherwise. */
export const defaultKeep = {
  events: 1_000,
  forMs: Number.POSITIVE_INFINITY,
  bytes: 16 * 1024 * 1024,
  removalsForMs: 24 * 60 * 60_000,
} as const

/** Of each collection of a channel, what is retained. */
export type Retentions = Readonly<Record<string, Retention>>

const endless = Number.POSITIVE_INFINITY

/** Of the presence of a channel that the contract does not declare any more. */
export const presenceRetention: Retention = {
  entries: endless,
  forMs: endless,
  bytes: endless,
  removalsForMs: defaultKeep.removalsForMs,
}

const known = new WeakMap<object, Retentions>()

export function retentionsOf({ definition }: ChannelMatch): Retentions {
  const before = known.get(definition)
  if (before !== undefined) return before
  const {
    events = defaultKeep.events,
    forMs = defaultKeep.forMs,
    bytes = defaultKeep.bytes,
    removalsForMs = defaultKeep.removalsForMs,
  } = definition.keep ?? {}
  const keyed = { entries: endless, forMs: endless, bytes: endless, removalsForMs }
  const retentions: Record<string, Retention> = {}
  if (definition.events !== undefined)
    retentions[EVENTS] = { entries: events, forMs, bytes, removalsForMs: endless }
  if (definition.presence !== undefined) retentions[PRESENCE] = keyed
  for (const name of Object.keys(definition.state ?? {})) retentions[stateCollection(name)] = keyed
  known.set(definition, retentions)
  return retentions
}
