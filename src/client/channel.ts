import type {
  Calls,
  ChannelDefinition,
  Events,
  Loaded,
  Presence,
  Received,
  Schema,
  SchemaInput,
  SchemaOutput,
  Sent,
  Signals,
  States,
} from "../contract/index.ts"
import type { HoldfastError } from "../protocol/error.ts"
import type { History } from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import type { Follower } from "./follow.ts"
import type { PresenceView } from "./presence-view.ts"
import type { PublishOptions } from "./publish-options.ts"
import type { StateView } from "./state-view.ts"
import type {
  ChannelStats,
  EventMeta,
  GapChange,
  SignalMeta,
  StateChange,
  SubscriptionStatus,
} from "./subscription.ts"

export interface ChannelOptions {
  /** How much of the past a first subscription brings. Default: none. */
  readonly history?: History | undefined
}

export interface CallOptions {
  /** Default: the client's `callTimeoutMs`. */
  readonly timeoutMs?: number | undefined
}

/** An event as the iterator yields it. */
export type ChannelEvent<D extends ChannelDefinition, N extends keyof Events<D> = keyof Events<D>> = {
  [Name in N]: EventMeta & { readonly name: Name; readonly data: Received<Events<D>[Name]> }
}[N]

/** What a follower reduces: an event, or a change of a state's key, whose `value` is undefined when it was deleted. */
export type ChannelEntry<D extends ChannelDefinition> =
  | { [Name in keyof Events<D>]: { readonly type: "event" } & ChannelEvent<D, Name> }[keyof Events<D>]
  | {
      [Name in keyof States<D>]: { readonly type: "state"; readonly name: Name } & StateChange<
        Received<States<D>[Name]>
      >
    }[keyof States<D>]

/** How a channel is followed: from what the server loads, if the contract declares a `snapshot`, or else from `initial`. */
export type Follow<D extends ChannelDefinition> = [Loaded<D>] extends [never]
  ? <Value>(options: {
      readonly initial: Value
      readonly reduce: (value: Value, entry: ChannelEntry<D>) => Value
    }) => Follower<Value>
  : <Value = SchemaOutput<Loaded<D>>>(
      options: {
        readonly reduce: (value: Value, entry: ChannelEntry<D>) => Value
      } & LoadOption<SchemaOutput<Loaded<D>>, Value>,
    ) => Follower<Value | undefined>

/** Needed only where the value is none that the server loads. */
type LoadOption<LoadedValue, Value> = [LoadedValue] extends [Value]
  ? { readonly load?: (loaded: LoadedValue) => Value }
  : { readonly load: (loaded: LoadedValue) => Value }

type EventName<D extends ChannelDefinition> = keyof Events<D> & string
type StateName<D extends ChannelDefinition> = keyof States<D> & string
type SignalName<D extends ChannelDefinition> = keyof Signals<D> & string
type CallName<D extends ChannelDefinition> = keyof Calls<D> & string
type CallInput<D extends ChannelDefinition, N extends CallName<D>> = Calls<D>[N] extends {
  readonly input: infer S extends Schema
}
  ? SchemaInput<S>
  : never
type CallOutput<D extends ChannelDefinition, N extends CallName<D>> = Calls<D>[N] extends {
  readonly output: infer S extends Schema
}
  ? SchemaOutput<S>
  : never

/**
 * A channel, as a client holds it. What needs a subscription subscribes by itself: the first listener, reading a state or
 * the members, `ready()`. Everything that adds a listener returns how to take it off.
 */
export interface Channel<D extends ChannelDefinition> {
  readonly name: string
  readonly status: SubscriptionStatus
  /** Up to where the log was delivered; undefined before the first answer. */
  readonly position: Position | undefined
  readonly stats: ChannelStats

  readonly on: <N extends EventName<D>>(
    name: N,
    listener: (data: Received<Events<D>[N]>, meta: EventMeta) => void,
  ) => () => void
  /**
   * The events from now on, or those of one name, for `for await`. Ends when the channel is closed; throws when the
   * server refuses the channel or ends the connection, and `buffer_full` when too many events were not taken.
   */
  readonly events: <N extends EventName<D> = EventName<D>>(
    name?: N,
  ) => AsyncIterableIterator<ChannelEvent<D, N>, undefined>
  /**
   * A current value that is always the fold of the channel's entries: `reduce` is given each event and each change of a
   * state, in order and once, over reconnects too. Where the contract declares a `snapshot`, the value begins as what the
   * server loads, and only the entries behind that are reduced; after a gap the server loads it again. An entry that came
   * while it loaded may be in it already, so `reduce` should not mind to see it twice. Elsewhere the value begins as
   * `initial`, and after a gap it goes on with what there is. Followers are told before other listeners.
   * @throws HoldfastError `closed`
   */
  readonly follow: Follow<D>
  /** Told when entries can no longer be had. */
  readonly onGap: (listener: (gap: GapChange) => void) => () => void
  /** Told when the server refuses the channel, ends the subscription, or removes this client from the presence. */
  readonly onError: (listener: (error: HoldfastError) => void) => () => void
  /** Told each change, and why the channel was refused or closed. */
  readonly onStatus: (
    listener: (status: SubscriptionStatus, error: HoldfastError | undefined) => void,
  ) => () => void
  /** Subscribes. After a refusal, asks again; a new connection does so by itself. */
  readonly subscribe: () => void
  /**
   * Resolves when the channel is live: states, members and the replayed events that were there when it was asked for are
   * here, listeners were told, and new ones come.
   * @throws HoldfastError `not_allowed`, `unknown_channel`, `too_many_subscriptions`, `closed`
   */
  readonly ready: () => Promise<void>

  /**
   * Publishes an event, as `data` is at the moment of the call; resolves with its position when the server's log keeps it. Sent
   * again over reconnects until it is answered, once in the log all the same, and in the order of the calls.
   * @throws HoldfastError `not_allowed`, `invalid_payload`, `invalid_value`, `message_too_large`, `outbox_full`, `timeout`,
   * `log_unavailable`, `log_full`, `quota_exceeded`, `in_doubt`, `closed`, or what the server's handler threw
   */
  readonly publish: <N extends EventName<D>>(
    name: N,
    data: Sent<Events<D>[N]>,
    options?: PublishOptions,
  ) => Promise<Position>
  readonly state: <N extends StateName<D>>(name: N) => StateView<Received<States<D>[N]>, Sent<States<D>[N]>>
  readonly presence: [Presence<D>] extends [never]
    ? never
    : PresenceView<Received<Presence<D>>, Sent<Presence<D>>>
  /**
   * Sends a signal, or drops it when it cannot leave now.
   * @throws HoldfastError `invalid_value`, `message_too_large`, `closed`
   */
  readonly signal: <N extends SignalName<D>>(name: N, data: Sent<Signals<D>[N]>) => void
  /** Told the signals of others. */
  readonly onSignal: <N extends SignalName<D>>(
    name: N,
    listener: (data: Received<Signals<D>[N]>, meta: SignalMeta) => void,
  ) => () => void
  /**
   * Asks, and resolves with the answer. Without a connection it waits for one, within its deadline. It is never sent
   * twice: when the line is cut before the answer, nobody knows whether it was carried out.
   * @throws HoldfastError with a code that the call declares, or `timeout`, `connection_lost`, `not_allowed`,
   * `invalid_payload`, `invalid_value`, `handler_failed`, `outbox_full`, `closed`
   */
  readonly call: <N extends CallName<D>>(
    name: N,
    input: CallInput<D, N>,
    options?: CallOptions,
  ) => Promise<CallOutput<D, N>>

  /** Leaves the channel and its presence and takes off all listeners. What was published still goes out. */
  readonly close: () => void
}

/** A channel that has everything. What the contract declares of it is held by the types alone. */
export interface AnyDefinition extends ChannelDefinition {
  readonly events: Readonly<Record<string, Schema>>
  readonly state: Readonly<Record<string, Schema>>
  readonly presence: Schema
  readonly signals: Readonly<Record<string, Schema>>
  readonly calls: Readonly<Record<string, { readonly input: Schema; readonly output: Schema }>>
}
