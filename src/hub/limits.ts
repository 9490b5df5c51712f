/** Every limit of a hub, with its unit in its name. Each can be set through `limits` in the hub's options. */
export interface Limits {
  /** The largest message that a client may send and that may be published, in bytes of its encoding. */
  readonly messageBytesMax: number
  /** How long a new connection may take to say hello. */
  readonly helloTimeoutMs: number
  /** The server sends a ping this often; it takes a peer for dead that it has not heard of for twice as long. */
  readonly heartbeatMs: number
  readonly subscriptionsPerConnectionMax: number
  /** Messages of one connection whose handlers have not finished; beyond, the connection is not read from. */
  readonly pendingMessagesPerConnectionMax: number
  /** How long an idempotency key is remembered. */
  readonly idempotencyWindowMs: number
  /** Keys with a value that the clients of one user may have made in one state of a channel. */
  readonly keysPerUserMax: number
  /** Idempotency keys that a channel remembers of the clients of one user. */
  readonly idempotencyKeysPerUserMax: number
  /** Frames of one channel and turn are joined up to about this size. */
  readonly burstBytesMax: number
  /** How much one page of catch-up reads from the log. */
  readonly pageEntriesMax: number
  readonly pageBytesMax: number
  /** How much catch-up is written per turn of the event loop, over all connections, before live traffic has its turn. */
  readonly catchUpBytesPerTurnMax: number
  /** Encoded entries that are kept for those who catch up, over all channels. */
  readonly encodedCacheBytesMax: number
  /** Members that one user may have in one channel: each connection that enters is one. */
  readonly membersPerUserMax: number
  /** How long a member whose line was cut stays in presence, so that a quick reconnect is no leave and join. */
  readonly presenceGraceMs: number
  /**
   * How long a node, or a client that comes with plain HTTP requests, may not be heard of before its members are removed. So long those of
   * an earlier process have to come back.
   */
  readonly presenceLeaseMs: number
  /** How long a client that was told to come back is served after the time at which it should have. */
  readonly handoverMs: number
  /** How often a node renews its lease: several times within it. */
  readonly nodeHeartbeatMs: number
  /** How long a question to all nodes waits for their answers. */
  readonly clusterTimeoutMs: number
  /** Connections that each node names in its answer to one question. */
  readonly clusterResultsMax: number
  /** The largest value that a channel's loader may give, in bytes of its encoding. */
  readonly snapshotBytesMax: number
  /** How many pages are read from the log at once, over all connections: one for each of so many. */
  readonly readsAtOnceMax: number
  /** How long to wait before a log or a loader that failed is asked again. */
  readonly retryMs: number
  /** How often channels that are kept by age are trimmed, when nothing is appended to them. */
  readonly trimIntervalMs: number
  /** How long a handler of the application may take, `authenticate` and loaders included. Calls have deadlines of their own. */
  readonly handlerTimeoutMs: number
  /** How long an ending may take to deliver what was there when it began, and then how long a peer may take to answer the close. */
  readonly closeTimeoutMs: number
  /** How long a node remembers which users it has disconnected, for clients that had no connection at that moment. */
  readonly endingMemoryMs: number
  /** The longest deadline that a call may ask for. So long its handler counts as unfinished, if it does not finish. */
  readonly callTimeoutMsMax: number
}

export const defaultLimits: Limits = {
  messageBytesMax: 256 * 1024,
  helloTimeoutMs: 10_000,
  heartbeatMs: 25_000,
  subscriptionsPerConnectionMax: 1_000,
  pendingMessagesPerConnectionMax: 64,
  idempotencyWindowMs: 5 * 60_000,
  keysPerUserMax: 10_000,
  idempotencyKeysPerUserMax: 200_000,
  burstBytesMax: 256 * 1024,
  pageEntriesMax: 500,
  pageBytesMax: 256 * 1024,
  catchUpBytesPerTurnMax: 1024 * 1024,
  encodedCacheBytesMax: 16 * 1024 * 1024,
  membersPerUserMax: 100,
  presenceGraceMs: 3_000,
  presenceLeaseMs: 8_000,
  nodeHeartbeatMs: 2_000,
  clusterTimeoutMs: 2_000,
  clusterResultsMax: 1_000,
  handoverMs: 10_000,
  snapshotBytesMax: 4 * 1024 * 1024,
  readsAtOnceMax: 64,
  retryMs: 1_000,
  trimIntervalMs: 60_000,
  handlerTimeoutMs: 10_000,
  closeTimeoutMs: 5_000,
  endingMemoryMs: 60_000,
  callTimeoutMsMax: 60_000,
}

/** Some of the limits. An undefined one has its default. */
export type GivenLimits<L> = { readonly [Name in keyof L]?: L[Name] | undefined }

/**
 * `defaults`, and what was given in their place.
 * @throws TypeError that names a limit that is no number: it would limit nothing.
 */
export function chosenLimits<L extends object>(defaults: L, given: GivenLimits<L> = {}): L {
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined)
  for (const [name, value] of chosen) {
    if (typeof value !== "number" || !(value >= 0)) {
      throw new TypeError(`hub options: limits.${name} is ${value}, and has to be a number from 0`)
    }
  }
  return { ...defaults, ...Object.fromEntries(chosen) }
}
