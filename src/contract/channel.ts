import type { Schema, SchemaInput, SchemaOutput } from "./schema.ts"

/**
 * The shape of one kind of payload. A single schema when what a client sends is what subscribers receive; a pair when
 * the server makes something else of it: `input` is what a client sends, `output` what subscribers receive.
 */
export type Payload = Schema | { readonly input: Schema; readonly output: Schema }

/** A request that is answered: what goes in, what comes out, and the errors that a caller can tell apart by code. */
export interface CallDefinition {
  readonly input: Schema
  readonly output: Schema
  readonly errors?: Readonly<Record<string, Schema>> | undefined
}

/** What a channel's log retains. Whichever limit is reached first trims. */
export interface Keep {
  /** How many events. Default 1,000. */
  readonly events?: number | undefined
  /** How long an event stays, in ms. Default: no limit by age. */
  readonly forMs?: number | undefined
  /** How many bytes of event payload. Default 16 MiB. */
  readonly bytes?: number | undefined
  /**
   * How long it is remembered which keys of a state were deleted, and which members left, in ms. A subscriber that was away for longer
   * gets a gap and a snapshot. Default: a day.
   */
  readonly removalsForMs?: number | undefined
}

/** What a channel declares. Every facet is optional. */
export interface ChannelDefinition {
  /** Named message types: ordered, resumable, kept as `keep` says. */
  readonly events?: Readonly<Record<string, Payload>> | undefined
  /** Keyed latest values: one value per key of each kind. */
  readonly state?: Readonly<Record<string, Payload>> | undefined
  /** Who is here, with this data. */
  readonly presence?: Payload | undefined
  /** Fire and forget: dropped rather than queued, never replayed. */
  readonly signals?: Readonly<Record<string, Payload>> | undefined
  /** A value of the server's own, such as rows of its database, that subscribers are given before the entries. */
  readonly snapshot?: Schema | undefined
  /** Request and response. */
  readonly calls?: Readonly<Record<string, CallDefinition>> | undefined
  readonly keep?: Keep | undefined
  /** How often one key of `state` may change, per node; changes in between are merged into the latest. */
  readonly rate?: { readonly perKeyPerSecond: number } | undefined
}

/** Declares a channel. Returns its argument, with its types kept literal. */
export function channel<const Definition extends ChannelDefinition>(definition: Definition): Definition {
  return definition
}

/** The schema of what a client sends. */
export type InputSchema<P> = P extends Schema
  ? P
  : P extends { readonly input: infer I extends Schema }
    ? I
    : never
/** The schema of what subscribers receive. */
export type OutputSchema<P> = P extends Schema
  ? P
  : P extends { readonly output: infer O extends Schema }
    ? O
    : never

/** What a client passes to `publish`, `set`, `enter` or `signal`. */
export type Sent<P> = SchemaInput<InputSchema<P>>
/** What the server's handler is given: validated. */
export type Accepted<P> = SchemaOutput<InputSchema<P>>
/** What a handler returns, or the server publishes. */
export type Published<P> = SchemaInput<OutputSchema<P>>
/** What subscribers receive. */
export type Received<P> = SchemaOutput<OutputSchema<P>>

/** A call's schemas. */
export type CallInput<C> = C extends { readonly input: infer I extends Schema } ? I : never
export type CallOutput<C> = C extends { readonly output: infer O extends Schema } ? O : never
export type CallErrors<C> = C extends { readonly errors: infer E extends Readonly<Record<string, Schema>> }
  ? E
  : Record<never, Schema>

type Payloads = Readonly<Record<string, Payload>>

/** The payloads that a definition declares for a facet, by name: none when it does not have the facet. */
export type Events<D extends ChannelDefinition> = D extends { readonly events: infer R extends Payloads }
  ? R
  : Record<never, Payload>
export type States<D extends ChannelDefinition> = D extends { readonly state: infer R extends Payloads }
  ? R
  : Record<never, Payload>
export type Signals<D extends ChannelDefinition> = D extends { readonly signals: infer R extends Payloads }
  ? R
  : Record<never, Payload>
export type Calls<D extends ChannelDefinition> = D extends {
  readonly calls: infer R extends Readonly<Record<string, CallDefinition>>
}
  ? R
  : Record<never, CallDefinition>
export type Loaded<D extends ChannelDefinition> = D extends { readonly snapshot: infer S extends Schema }
  ? S
  : never
export type Presence<D extends ChannelDefinition> = D extends { readonly presence: infer P extends Payload }
  ? P
  : never
