import type { HoldfastError } from "../protocol/error.ts"
import type { Bus } from "./bus.ts"
import type { Entry } from "./entry.ts"
import type { AppendOptions, Operation, Outcome, Retention } from "./operation.ts"

/**
 * What the hub needs of a log: to change it, to read on from an offset, and to hear of changes. A channel has one log and one
 * offset counter. Offsets rise but need not be contiguous; appends may be remote; what `watch` delivers may have holes, which
 * the hub finds by `after` and fills by reading. `holdfast/testing` carries the contract suite that every log has to pass.
 */
export interface Log {
  /** Whether other processes append to it too. Absent: they do not. */
  readonly shared?: boolean
  /** Whether entries outlive the process. Absent: they do not. */
  readonly durable?: boolean
  /** How the nodes that share it reach each other past it. Absent: they do not. */
  readonly bus?: Bus
  /**
   * Carries out one operation and trims its collection. Resolves when the entry is kept as the log is configured to keep it,
   * which is what "acknowledged" means. Operations on one channel are carried out in the order of the calls: an idempotency key that
   * is known decides first, then the condition, then quotas.
   * @throws HoldfastError `idempotency_conflict`, `log_unavailable`, `log_full`, `quota_exceeded`: nothing was changed;
   *   `in_doubt`: it may have been; a repetition with the same idempotency key or version finds out.
   */
  readonly append: (channel: string, operation: Operation, options: AppendOptions) => Promise<Outcome>
  /** Where a channel's log stands. A channel that was never used has one too. */
  readonly head: (channel: string) => Promise<Head>
  /** Entries in the order of their offsets, from behind `after`. */
  readonly read: (channel: string, range: Range) => Promise<Page>
  /** Entries of one collection, the one created last first: facts, or the whole values of keys. */
  readonly readBack: (channel: string, range: BackRange) => Promise<BackPage>
  /** The latest entry of a key, a `put` with its whole value or a `remove`; undefined when the log has none. */
  readonly find: (channel: string, collection: string, key: string) => Promise<Entry | undefined>
  /** The offset behind which the last `count` facts of a collection stand. Never below its floor. */
  readonly offsetOfLast: (channel: string, collection: string, count: number) => Promise<number>
  /** Calls `listener` with all entries from now on, by any process, until the returned function is called. */
  readonly watch: (channel: string, listener: (batch: Batch) => void) => Promise<() => void>
  /**
   * Trims, by collection, what is beyond its retention, and forgets the idempotency keys whose window is over. The hub calls it now
   * and then. A channel in which nothing is left, no entry, removal or idempotency key, costs nothing from then on: it is as one that
   * was never used, without floors and versions, and its base and top are one offset above which all of its next entries stand. A
   * log may put this off while the channel is watched, and may do earlier, with any append, what has become due by its `at`.
   */
  readonly trim: (
    channel: string,
    retention: Readonly<Record<string, Retention>>,
    nowMs: number,
  ) => Promise<void>
  /**
   * Calls `listener`, at once and whenever it changes, with the reason why the log cannot be reached; undefined when it can. It
   * is called with undefined also after an interruption so short that no failure was reported. Returns how to stop. Absent: the
   * log can always be reached.
   */
  readonly watchAvailability?: (listener: (failure: HoldfastError | undefined) => void) => () => void
  /** Resolves when everything acknowledged is kept and the log holds nothing open any more. */
  readonly close: () => Promise<void>
}

export interface Head {
  /** Names one life of the log; it changes when entries were lost that had been acknowledged. */
  readonly epoch: string
  /** The offset of the newest entry; `base` when there is none. */
  readonly top: number
  /** Everything up to here was forgotten with its channel: a cursor below has missed entries of any collection. 0 at first. */
  readonly base: number
  /**
   * By collection, the greatest offset that was lost: a trimmed fact or key, a forgotten removal. A cursor below has missed something in
   * that collection. A collection that has lost nothing above `base` is not listed.
   */
  readonly floors: Readonly<Record<string, number>>
}

export interface Range {
  /** Exclusive. */
  readonly after: number
  /** Inclusive. */
  readonly through: number
  /**
   * `fold`: what a snapshot is made of: each key whose last put is not behind `through`, once, with its value as of `through`, at the
   * offset of its last change up to there.
   *
   * `all`: facts, removals and keys. Of a key the last put and what has been added since make one entry of a page, at the offset of
   * the last of these changes that the page covers: a `put` with the value as of there, or an `extend` with what was added behind
   * `after` if the put is not behind `after`. So a reader that has everything up to `after` has everything up to `next`, also of a
   * value that grows: it can go on with the next page, or with the entries that are watched.
   */
  readonly select: "all" | "fold"
  /** Only of these. Default: of all. */
  readonly collections?: readonly string[]
  /** At most so many entries, and about so many bytes of bodies; at least one entry if there is any. */
  readonly entriesMax: number
  readonly bytesMax: number
}

export interface Page {
  /** As of the moment of reading: of each collection the entries are complete from `max(after, its floor)` to `next`. */
  readonly head: Head
  readonly entries: readonly Entry[]
  /** Where to read on: the last entry's offset, or `through` (or the top, if lower) when there are no more. Never below `after`. */
  readonly next: number
}

export interface BackRange {
  readonly collection: string
  /** Exclusive: entries created before this offset. */
  readonly before: number
  readonly entriesMax: number
  readonly bytesMax: number
}

export interface BackPage {
  readonly head: Head
  readonly entries: readonly Entry[]
  /** Where the next page begins; undefined when there is none. */
  readonly before: number | undefined
}

/** Entries that were appended, in order, and the offset that they directly follow. */
export interface Batch {
  readonly epoch: string
  readonly after: number
  readonly entries: readonly Entry[]
}
