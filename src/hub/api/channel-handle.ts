import type {
  ChannelDefinition,
  Events,
  Presence,
  Published,
  Received,
  Signals,
  States,
} from "../../contract/index.ts"
import type { Position } from "../../protocol/position.ts"
import type { ClusterConnection, Gathered } from "../cluster/cluster-answers.ts"

export interface PublishOptions {
  /** Makes a repetition harmless: the same key is appended once. Default: none. */
  readonly idempotencyKey?: string | undefined
}

/** An event as the log has it. */
export type PastEvent<D extends ChannelDefinition> = {
  [N in keyof Events<D> & string]: {
    readonly name: N
    readonly data: Received<Events<D>[N]>
    readonly offset: number
    /** ms since 1970. */
    readonly at: number
  }
}[keyof Events<D> & string]

/**
 * A channel as the server's own code uses it. Everything published is validated; nothing needs a handler. A value is taken in the
 * turn of the call, so it may be changed and published again right after; with an asynchronous schema, when that is done.
 */
export interface ChannelHandle<D extends ChannelDefinition> {
  readonly name: string
  /**
   * Appends an event; resolves with its position when the log keeps it.
   * @throws HoldfastError `invalid_payload`, `invalid_value`, `message_too_large`, `idempotency_conflict`, `log_unavailable`, `log_full`, `in_doubt`
   */
  readonly publish: <N extends keyof Events<D> & string>(
    name: N,
    data: Published<Events<D>[N]>,
    options?: PublishOptions,
  ) => Promise<Position>
  /** Sets the value of a key. Under a rate cap it resolves when this value, or a newer one in its place, is kept. */
  readonly set: <N extends keyof States<D> & string>(
    name: N,
    key: string,
    data: Published<States<D>[N]>,
    options?: PublishOptions,
  ) => Promise<Position>
  readonly delete: <N extends keyof States<D> & string>(
    name: N,
    key: string,
    options?: PublishOptions,
  ) => Promise<Position>
  /** Sends a signal to the subscribers that can take it now. */
  readonly signal: <N extends keyof Signals<D> & string>(
    name: N,
    data: Published<Signals<D>[N]>,
  ) => Promise<void>
  /** The values of a state, by key. */
  readonly state: <N extends keyof States<D> & string>(
    name: N,
  ) => Promise<Map<string, Received<States<D>[N]>>>
  /** Who is here, by member: each connection that has entered is one. */
  readonly members: () => Promise<Map<string, Received<Presence<D>>>>
  /** The same by the id of the user, or by the member where the user has none; then by member. */
  readonly users: () => Promise<Map<string, Map<string, Received<Presence<D>>>>>
  /**
   * Ends the subscriptions of a user, by its `id`, and removes it from presence, at every node: its clients are told
   * `unsubscribed` and `removed` with the code `revoked` and the reason. It may subscribe again if the `subscribe` handler lets it, and
   * enter again over another connection. Resolves with the connections that were concerned, and the nodes that did not answer
   * within `clusterTimeoutMs`.
   */
  readonly revoke: (user: string | number, reason?: string) => Promise<Gathered<ClusterConnection>>
  /** The last events, oldest first. */
  readonly history: (range: { readonly last: number }) => Promise<PastEvent<D>[]>
}
