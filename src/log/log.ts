import type { HoldfastError } from "../protocol/error.ts"
import type { Position } from "../protocol/position.ts"
import type { Bus } from "./bus.ts"

/**
 * What the hub needs of a log: to append, to read on from an offset, and to be told of what was appended. A channel has
 * one log. Offsets rise but need not be contiguous; appends may be remote; what `watch` tells may have holes, which the
 * hub finds by `after` and fills by reading. `holdfast/testing` carries the contract suite that every log has to pass.
 */
export interface Log {
  /** Whether other processes append to it too. Absent: they do not. */
  readonly shared?: boolean
  /** How the nodes that share it reach each other past it. Absent: they do not. */
  readonly bus?: Bus
  /**
   * Appends one entry and trims as `options.keep` says. Resolves when the entry is kept as the log is configured to keep
   * it, which is what "acknowledged" means. Appends to one channel get their offsets in the order of the calls.
   * @throws HoldfastError `idempotency_conflict`, `log_unavailable`, `log_full`: nothing was appended then; `in_doubt`: it may
   * have been, which who appends again with the same idempotency key finds out.
   */
  readonly append: (channel: string, draft: Draft, options: AppendOptions) => Promise<Appended>
  /** Where a channel's log stands. A channel that was never used has one too. */
  readonly head: (channel: string) => Promise<Head>
  /** Entries in the order of their offsets, from behind `after`. */
  readonly read: (channel: string, range: Range) => Promise<Page>
  /** The offset behind which the last `count` events stand: reading from there yields them. Never below the floor. */
  readonly offsetOfLast: (channel: string, count: number) => Promise<number>
  /** Tells `listener` what is appended to the channel from now on, by anybody, until the returned function is called. */
  readonly watch: (channel: string, listener: (batch: Batch) => void) => Promise<() => void>
  /** Trims what has outlived its time. The hub calls it now and then for channels that are kept by age. */
  readonly trim: (channel: string, keep: Required<LogKeep>, nowMs: number) => Promise<void>
  /**
   * Tells `listener`, at once and whenever it changes, why the log cannot be reached; undefined when it can. Returns how to
   * stop. Absent: it always can.
   */
  readonly watchAvailability?: (listener: (failure: HoldfastError | undefined) => void) => () => void
  /** Resolves when everything acknowledged is kept and the log holds nothing open any more. */
  readonly close: () => Promise<void>
}

/** What an entry is before the log has given it an offset. */
export interface Draft {
  readonly kind: EntryKind
  /** The event's or state's name; empty for presence. */
  readonly name: string
  /** The state's key, or the member; empty for events. */
  readonly key: string
  /** The payload, MessagePack; for what removes a key, empty or why. */
  readonly body: Uint8Array
  /** When it was published, ms since 1970. */
  readonly at: number
}

/** An `event` is kept by count and age. The others are compacted: of each (facet, name, key), only the latest is kept. */
export type EntryKind = "event" | "set" | "delete" | "join" | "left"

export interface Entry extends Draft {
  readonly offset: number
}

export interface AppendOptions {
  readonly keep: Required<LogKeep>
  readonly dedupe?: Dedupe
  /**
   * For what has a key: append only while the key's latest entry has this offset. Otherwise somebody else has changed
   * the key meanwhile; nothing is appended, and the promise resolves with that entry's position.
   */
  readonly replaces?: number
}

/** What makes a repeated append find the first one. */
export interface Dedupe {
  readonly key: string
  /** A digest of what was asked for: the same key with another one is a conflict. */
  readonly fingerprint: string
  /** How long the key is remembered, in ms. */
  readonly windowMs: number
}

/** What is retained: `Infinity` where there is no limit. */
export interface LogKeep {
  readonly events: number
  readonly forMs: number
  readonly bytes: number
}

export interface Appended {
  readonly position: Position
  /** Nothing was appended: it had been before, under the same idempotency key, or `replaces` did not hold any more. */
  readonly duplicate: boolean
}

export interface Head {
  readonly epoch: string
  /** The offset of the newest entry ever appended in this epoch; 0 when there was none. */
  readonly top: number
  /** The greatest offset that was trimmed: whoever stands below has missed something. 0 when nothing was. */
  readonly floor: number
}

export interface Range {
  /** Exclusive. */
  readonly after: number
  /** Inclusive. */
  readonly through: number
  /** `fold`: only what a snapshot is made of, the latest `set` and `join` of each key. */
  readonly select: "all" | "fold"
  /** At most so many entries, and about so many bytes of payload; at least one entry if there is any. */
  readonly entriesMax: number
  readonly bytesMax: number
}

export interface Page {
  /** As of the moment of reading: the entries are complete from `max(after, head.floor)` to `next`. */
  readonly head: Head
  readonly entries: readonly Entry[]
  /**
   * Where to read on: the offset of the last entry, or `through` (or the top, if lower) when there are no more. Never
   * below `after`.
   */
  readonly next: number
}

/** Entries that were appended, in order, and the offset that they directly follow. */
export interface Batch {
  readonly epoch: string
  readonly after: number
  readonly entries: readonly Entry[]
}
