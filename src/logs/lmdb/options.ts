import type { Chosen } from "../chosen-options.ts"

export interface LmdbLogOptions {
  /**
   * Whether an append waits until its entry would survive a crash of the machine. Otherwise it waits until it survives a
   * crash of the process, and what is acknowledged follows to disk within `checkpointIntervalMs`. Default: false.
   */
  readonly sync?: boolean | undefined
  /** Opens a log that another process writes to: appends are refused, and watchers are told nothing. Default: false. */
  readonly readOnly?: boolean | undefined
  /** Begins a new epoch, as one must when a copy of the folder was put back: its end may be missing. Default: false. */
  readonly newEpoch?: boolean | undefined
  /** Without `sync`: how long after an append a checkpoint follows, in ms. Default: 1,000. */
  readonly checkpointIntervalMs?: number | undefined
  /** Channels that have something in them; beyond, the first append to another is refused with `log_full`. */
  readonly channelsMax?: number | undefined
  /** Channels whose heads and idempotency keys are held in memory. */
  readonly channelsInMemoryMax?: number | undefined
  /** Keys with a value in one collection, such as a state or the presence of a channel; beyond, another key is refused with `log_full`. */
  readonly keysPerCollectionMax?: number | undefined
  /** Removed keys that one collection remembers, or as many as it has values if these are more. Beyond, its floor rises. */
  readonly tombstonesPerCollectionMax?: number | undefined
  /** Idempotency keys that one channel remembers; beyond, what brings another is refused with `log_full`. */
  readonly idempotencyKeysPerChannelMax?: number | undefined
  /** Appends that wait for a transaction; beyond, they are refused with `log_unavailable`. */
  readonly pendingAppendsMax?: number | undefined
  /** Is told what a watcher throws, and what fails in the background. Default: `console.error`. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/** The LMDB log's options unless they are given. */
export const lmdbLogDefaults = {
  sync: false,
  readOnly: false,
  newEpoch: false,
  checkpointIntervalMs: 1_000,
  channelsMax: 10_000_000,
  channelsInMemoryMax: 20_000,
  keysPerCollectionMax: 100_000,
  tombstonesPerCollectionMax: 10_000,
  idempotencyKeysPerChannelMax: 1_000_000,
  pendingAppendsMax: 100_000,
  onError: (error: unknown): void => console.error(error),
} as const satisfies Chosen<LmdbLogOptions>

export type LmdbLogSettings = Chosen<LmdbLogOptions>
