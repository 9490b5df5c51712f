import type { ChannelDefinition } from "./channel.ts"
import { checkDefinition } from "./check-definition.ts"
import { CHANNEL_NAME_LENGTH_MAX, matchName, type NamePattern, parsePattern } from "./pattern.ts"

export type ChannelDefinitions = Readonly<Record<string, ChannelDefinition>>

/** What a server and its clients agree on: the channels, by name pattern. */
export interface Contract<Definitions extends ChannelDefinitions = ChannelDefinitions> {
  readonly channels: Definitions
  /** The channel that `name` stands for, or undefined when no pattern matches. Patterns are tried in the order declared. */
  readonly match: (name: string) => ChannelMatch | undefined
}

export interface ChannelMatch {
  readonly pattern: string
  readonly params: Readonly<Record<string, string>>
  readonly definition: ChannelDefinition
}

export type Definitions<C> = C extends Contract<infer D> ? D : never

/**
 * Declares the channels of an application.
 * @throws TypeError when a pattern is malformed or a definition holds what it must not, such as something that is no
 * Standard Schema, or a facet that does not exist.
 */
export function contract<const D extends ChannelDefinitions>(channels: D): Contract<D> {
  const patterns: readonly [NamePattern, ChannelDefinition][] = Object.entries(channels).map(
    ([pattern, definition]) => {
      checkDefinition(pattern, definition)
      return [parsePattern(pattern), definition]
    },
  )
  return {
    channels,
    match: (name) => {
      if (name.length > CHANNEL_NAME_LENGTH_MAX) return undefined
      for (const [pattern, definition] of patterns) {
        const params = matchName(pattern, name)
        if (params !== undefined) return { pattern: pattern.pattern, params, definition }
      }
      return undefined
    },
  }
}
