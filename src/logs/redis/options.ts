import type { Chosen } from "../chosen-options.ts"

export interface RedisLogOptions {
  /** What all keys begin with: two applications on one Redis have two. No braces. Default: "holdfast". */
  readonly prefix?: string | undefined
  /**
   * How long an append or a read waits for a Redis that cannot be reached, in ms, at most 50,000. Then it fails with
   * `log_unavailable`. Default: 10,000.
   */
  readonly waitMs?: number | undefined
  /** How long a connection may leave a command without an answer before it is given up for another, in ms. Default: 4,000. */
  readonly answerTimeoutMs?: number | undefined
  /** How often a connection that nothing comes through is checked, in ms. Default: 5,000. */
  readonly heartbeatMs?: number | undefined
  /** Appends that wait for their answer; beyond, they are refused with `log_unavailable`. Default: 20,000. */
  readonly pendingAppendsMax?: number | undefined
  /** Bytes of payload that wait so; beyond, appends are refused with `log_unavailable`. Default: 64 MiB. */
  readonly pendingBytesMax?: number | undefined
  /**
   * Keys with a value in one collection, such as a state or the presence of a channel; beyond, another key is refused with
   * `log_full`. Default: 100,000.
   */
  readonly keysPerCollectionMax?: number | undefined
  /** Removed keys that one collection remembers, or as many as it has values if these are more. Beyond, its floor rises. Default: 10,000. */
  readonly tombstonesPerCollectionMax?: number | undefined
  /** Idempotency keys that one channel remembers; beyond, what brings another is refused with `log_full`. Default: 1,000,000. */
  readonly idempotencyKeysPerChannelMax?: number | undefined
  /** Is called with what a watcher throws, and with what is wrong with the connection. Default: `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The Redis log's options unless they are given. */
export const redisLogDefaults = {
  prefix: "holdfast",
  waitMs: 10_000,
  answerTimeoutMs: 4_000,
  heartbeatMs: 5_000,
  pendingAppendsMax: 20_000,
  pendingBytesMax: 64 * 1024 * 1024,
  keysPerCollectionMax: 100_000,
  tombstonesPerCollectionMax: 10_000,
  idempotencyKeysPerChannelMax: 1_000_000,
  onError: (error: unknown): void => console.error(error),
} as const satisfies Chosen<RedisLogOptions>

export type RedisLogSettings = Chosen<RedisLogOptions>
