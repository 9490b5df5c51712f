import type { ConnectionStatus } from "./connection.ts"

/** What becomes of a client, by the name of the event. */
export interface ClientEvents {
  readonly status: readonly [ConnectionStatus]
  /** How many messages wait for their answer now. */
  readonly pending: readonly [number]
  /** The name of the transport that is in use from now on. */
  readonly transport: readonly [string]
  /** Whether the server can reach its log. */
  readonly log: readonly [boolean]
  /**
   * Something went wrong that no promise tells: an attempt to connect, the token function, a signal that was refused, a
   * channel that was refused without an `onError`, a listener that threw. The client goes on by itself.
   */
  readonly error: readonly [unknown]
}

/** What a client shows of its connection. */
export interface Face {
  readonly status: ConnectionStatus
  /** How long it is until the next attempt to connect, in ms; undefined unless the status is `waiting`. */
  readonly retryInMs: number | undefined
  /** This client's public name in presence and signals; undefined before the first connection. */
  readonly member: string | undefined
  /** By what it is connected, or was last: `websocket`, `sse` or `poll`; undefined before the first connection. */
  readonly transport: string | undefined
  /** Whether the server can reach its log: while it cannot, nothing arrives, and what is published waits. */
  readonly logAvailable: boolean
  /** How many messages wait for their answer, those included that an earlier page left. */
  readonly pending: number
  /** Gives up the line and comes back at once, with a fresh token. */
  readonly reconnect: () => void
}
