import type { CallDefinition, ChannelDefinition, Payload } from "./channel.ts"
import { CHANNEL_NAME_LENGTH_MAX, matchName, type NamePattern, parsePattern } from "./pattern.ts"
import { isSchema } from "./schema.ts"

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
 * @throws TypeError when a pattern is malformed or a definition holds something that is no Standard Schema.
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

function checkDefinition(pattern: string, definition: ChannelDefinition): void {
  for (const facet of ["events", "state", "signals"] as const) {
    for (const [name, payload] of Object.entries(definition[facet] ?? {}))
      checkPayload(`${facet}.${name}`, payload, pattern)
  }
  if (definition.presence !== undefined) checkPayload("presence", definition.presence, pattern)
  if (definition.snapshot !== undefined && !isSchema(definition.snapshot)) {
    throw new TypeError(`channel "${pattern}": snapshot is no Standard Schema`)
  }
  for (const [name, call] of Object.entries(definition.calls ?? {})) checkCall(`calls.${name}`, call, pattern)
}

function checkPayload(where: string, payload: Payload, pattern: string): void {
  if (isSchema(payload)) return
  if (isSchema(payload?.input) && isSchema(payload?.output)) return
  throw new TypeError(
    `channel "${pattern}": ${where} is neither a Standard Schema nor a pair { input, output } of them`,
  )
}

function checkCall(where: string, call: CallDefinition, pattern: string): void {
  if (!isSchema(call?.input) || !isSchema(call?.output)) {
    throw new TypeError(`channel "${pattern}": ${where} needs an "input" and an "output" Standard Schema`)
  }
  for (const [code, schema] of Object.entries(call.errors ?? {})) {
    if (!isSchema(schema))
      throw new TypeError(`channel "${pattern}": ${where}.errors.${code} is no Standard Schema`)
  }
}
