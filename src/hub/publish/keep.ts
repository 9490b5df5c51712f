import type { ChannelMatch } from "../../contract/index.ts"
import type { LogKeep } from "../../log/log.ts"

/** What a channel retains unless it says otherwise. */
export const defaultKeep = {
  events: 1_000,
  forMs: Number.POSITIVE_INFINITY,
  bytes: 16 * 1024 * 1024,
} as const

const keeps = new WeakMap<object, Required<LogKeep>>()

/** What the channel's log retains. */
export function keepOf({ definition }: ChannelMatch): Required<LogKeep> {
  const known = keeps.get(definition)
  if (known !== undefined) return known
  const keep = { ...defaultKeep, ...definition.keep }
  keeps.set(definition, keep)
  return keep
}
