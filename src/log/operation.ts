import type { Position } from "../protocol/position.ts"

/** What a log is asked to do. */
export type Operation = Append | Put | Extend | Remove

interface Change {
  readonly collection: string
  readonly body: Uint8Array
  /** When it was published, ms since 1970. */
  readonly at: number
}

export interface Append extends Change {
  readonly operation: "append"
  /** A label, which need not be unique. */
  readonly key: string
}

export interface Put extends Change {
  readonly operation: "put"
  /** Default: the log assigns the entry's offset, in decimal. */
  readonly key?: string
  /** The node that answers for the key. Default: none. */
  readonly holder?: string
  /** How long the key may go without another put before `lapsed` holds. Default: for ever. */
  readonly leaseMs?: number
  /** If the key has this value already, only holder, lease and version change, and no entry is appended. Default: false. */
  readonly quiet?: boolean
}

/** Adds to the value of a key. Refused when the key has none. */
export interface Extend extends Change {
  readonly operation: "extend"
  readonly key: string
}

export interface Remove extends Change {
  readonly operation: "remove"
  readonly key: string
}

export interface AppendOptions {
  /** What the operation's collection retains. */
  readonly retention: Retention
  readonly condition?: Condition
  readonly dedupe?: Dedupe | undefined
  /** Whose the key and the idempotency key are. Default: nobody's, counted by the limits of the log alone. */
  readonly account?: Account | undefined
}

/** What a collection retains: `Infinity` where there is no limit. Ages are compared with the `at` of an operation, or with a trim's time. */
export interface Retention {
  /** Appended facts, or keys that have a value. Beyond, the ones created first go. */
  readonly entries: number
  /** How long after its creation. */
  readonly forMs: number
  /** Of all facts or values together; the bodies of removals do not count. */
  readonly bytes: number
  /** How long a removal is remembered. Beyond a limit of its own a log may forget the oldest ones earlier, as the floor says. */
  readonly removalsForMs: number
}

/** Checked by the log in one step with the change. All that is given has to hold. */
export interface Condition {
  /** Compare-and-set: the key's latest entry has this offset; 0: the key has no value, and no removal is remembered. */
  readonly latest?: number
  /**
   * Last writer wins, by versions from 1 on: this one is higher than the key's, or, for a remove, as high as that of its value. It becomes the key's.
   * An operation without a version leaves the key's as it is. A removal keeps its version; of trimmed keys and forgotten removals,
   * the collection keeps the highest version. A put that repeats version, holder and body of the value that is there changes nothing
   * but the lease.
   */
  readonly version?: number
  /** The key's lease is over, by the clock of the log. */
  readonly lapsed?: true
}

/** What makes a repetition find the first operation that had this key. A refused operation leaves no key behind. */
export interface Dedupe {
  readonly key: string
  /** A digest of what was asked for: the same key with another one is a conflict. */
  readonly fingerprint: string
  /** How long the key is remembered, in ms from the operation's `at` on. */
  readonly windowMs: number
}

/**
 * Keys that have a value are counted per collection, for the account that created them; idempotency keys per channel. A full account
 * refuses with `quota_exceeded` what would add another.
 */
export interface Account {
  readonly name: string
  readonly keysMax: number
  readonly idempotencyKeysMax: number
}

export interface Outcome {
  /**
   * `appended`: an entry was. `unchanged`: the key is as asked for, without an entry. `duplicate`: it had been appended, or found
   * unchanged, before, under the same idempotency key, whether or not its condition still holds. `refused`: the condition does not
   * hold, or there is no value to extend.
   */
  readonly status: "appended" | "unchanged" | "duplicate" | "refused"
  /** Of the entry that was appended; otherwise of the key's latest entry, with offset 0 when it has none; of a duplicate as at first. */
  readonly position: Position
  /** When a version was refused: the lowest with which a put is accepted now. */
  readonly version?: number
}
