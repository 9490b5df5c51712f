import type { Entry } from "../../log/entry.ts"
import type { AppendOptions, Extend, Put, Remove, Retention } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { AccountCounts } from "./account-counts.ts"
import type { CollectionHead } from "./channel-head.ts"
import type { Place } from "./keys.ts"
import type { Store } from "./store.ts"
import type { Removal, ValueState } from "./value-record.ts"
import { ValueWriter } from "./value-writer.ts"
import { Values } from "./values.ts"

export interface KeyLimits {
  readonly keysPerCollectionMax: number
  readonly tombstonesPerCollectionMax: number
}

/** A trim ends with the key with which it has removed so many records. */
const TRIMMED_RECORDS_MAX = 1_000

/** What the log knows of a key. */
export type Known = ValueState | Removal

/** What a change gives a key beside what the operation says. */
export interface Stamp {
  readonly offset: number
  readonly version: number
}

/** The writing side of a collection of keys. */
export class KeyCollection {
  readonly head: CollectionHead
  /** Whether the last trim has ended before all was trimmed. */
  hasMore = false
  readonly #store: Store
  readonly #values: Values
  readonly #writer: ValueWriter
  readonly #accounts: AccountCounts
  readonly #limits: KeyLimits
  /** The value that was created first, and the first removal, once they were read. */
  #firstValue: ValueState | undefined
  /** No value was created before. */
  #firstCreated = 0
  #firstRemoval: Removal | undefined

  constructor(store: Store, place: Place, head: CollectionHead, limits: KeyLimits) {
    this.head = head
    this.#limits = limits
    this.#store = store
    this.#values = new Values(store, place, head.name)
    this.#writer = new ValueWriter(store, place)
    this.#accounts = new AccountCounts(store, place)
  }

  find(key: string): Known | undefined {
    return this.#values.find(key)
  }

  isValue(known: Known | undefined, body: Uint8Array): boolean {
    if (known?.hasValue !== true || known.bytes !== body.length) return false
    return Buffer.compare(this.#values.whole(known), body) === 0
  }

  /**
   * Whether another key has room; if not, what is beyond the retention is trimmed first.
   * @throws HoldfastError `quota_exceeded`, `log_full`: the collection cannot have another key
   */
  checkSpace({ body, at }: Put, { account, retention }: AppendOptions): void {
    const isSpent = () => account !== undefined && this.#accounts.of(account.name) >= account.keysMax
    const limit = this.#limits.keysPerCollectionMax
    // if the new key pushes another one out, their number does not grow
    const isFull = () =>
      this.head.entries >= limit &&
      this.head.entries < retention.entries &&
      this.head.bytes + body.length <= retention.bytes
    if (!isSpent() && !isFull()) return
    const end = this.#store.removed + TRIMMED_RECORDS_MAX
    this.#loseAll(end, () => (isSpent() || isFull() ? this.#dueValue(retention, at) : undefined))
    if (account !== undefined && isSpent()) {
      const text = "The user has as many keys in this channel as one user may have. Nothing was published."
      throw new HoldfastError("quota_exceeded", text, { limit: account.keysMax })
    }
    if (!isFull()) return
    const text = "The log has as many keys in this channel as one may have. Nothing was published."
    throw new HoldfastError("log_full", text, { limit })
  }

  put(
    put: Put,
    known: Known | undefined,
    stamp: Stamp,
    lapsesAt: number,
    account: string | undefined,
  ): Entry {
    const { at, body, holder = "", key = `${stamp.offset}` } = put
    if (known?.hasValue === true) {
      const state = this.#writer.replace(known, { ...known, ...stamp, at, holder, lapsesAt }, body)
      this.#changed(known)
      this.head.bytes += body.length - known.bytes
      return this.#entry(state, "put", body)
    }
    const own = {
      key,
      hasValue: true,
      created: stamp.offset,
      createdAt: at,
      at,
      account,
      holder,
      lapsesAt,
    } as const
    const state = this.#writer.create({ ...own, ...stamp }, body, known)
    if (known !== undefined) this.#uncount(known)
    this.head.entries++
    this.head.bytes += body.length
    this.#accounts.add(account, 1)
    return this.#entry(state, "put", body)
  }

  extend({ body, at }: Extend, known: ValueState, stamp: Stamp): Entry {
    const state = this.#writer.extend(known, { ...known, ...stamp, at }, body)
    this.#changed(known)
    this.head.bytes += body.length
    return this.#entry(state, "extend", body)
  }

  remove({ key, body, at }: Remove, known: Known | undefined, stamp: Stamp): Entry {
    const none = { hasValue: false, holder: "", lapsesAt: Number.POSITIVE_INFINITY } as const
    const removal = { key, at, body, created: known?.created ?? stamp.offset, ...none, ...stamp }
    this.#writer.remove(removal, known)
    if (known !== undefined) this.#uncount(known)
    this.head.removals++
    return this.#entry(removal, "remove", body)
  }

  touch(known: Known): void {
    this.#writer.touch(known)
    this.#changed(known)
  }

  /** Trims as much as one turn may. Returns whether something was lost. */
  trim(retention: Retention, nowMs: number): boolean {
    const { head } = this
    const count = head.entries + head.removals
    const end = this.#store.removed + TRIMMED_RECORDS_MAX
    this.hasMore = false
    this.#loseAll(end, () => this.#dueValue(retention, nowMs))
    this.#loseAll(end, () => this.#dueRemoval(retention, nowMs))
    return head.entries + head.removals < count
  }

  #loseAll(end: number, next: () => Known | undefined): void {
    for (let known = next(); known !== undefined; known = next()) {
      if (this.#store.removed >= end) {
        this.hasMore = true
        return
      }
      this.#lose(known)
    }
  }

  /** The value that was created first, if it is beyond what is retained. */
  #dueValue({ entries, bytes, forMs }: Retention, nowMs: number): ValueState | undefined {
    const { head } = this
    if (head.entries === 0) return undefined
    const isWithin = head.entries <= entries && head.bytes <= bytes
    if (isWithin && forMs === Number.POSITIVE_INFINITY) return undefined
    this.#firstValue ??= this.#values.first(this.#firstCreated)
    this.#firstCreated = this.#firstValue?.created ?? this.#firstCreated
    return isWithin && this.#firstValue && this.#firstValue.createdAt >= nowMs - forMs
      ? undefined
      : this.#firstValue
  }

  #dueRemoval({ removalsForMs }: Retention, nowMs: number): Removal | undefined {
    const { head } = this
    if (head.removals === 0) return undefined
    const isWithin = head.removals <= Math.max(this.#limits.tombstonesPerCollectionMax, head.entries)
    if (isWithin && removalsForMs === Number.POSITIVE_INFINITY) return undefined
    this.#firstRemoval ??= this.#values.firstRemoval()
    return isWithin && this.#firstRemoval && this.#firstRemoval.at >= nowMs - removalsForMs
      ? undefined
      : this.#firstRemoval
  }

  #lose(known: Known): void {
    this.#writer.forget(known)
    this.#uncount(known)
    this.head.floor = Math.max(this.head.floor, known.offset)
    this.head.forgottenVersion = Math.max(this.head.forgottenVersion, known.version)
  }

  #uncount(known: Known): void {
    this.#changed(known)
    if (!known.hasValue) {
      this.head.removals--
      return
    }
    this.head.entries--
    this.head.bytes -= known.bytes
    this.#accounts.add(known.account, -1)
  }

  /** What was read of a first one is read again. */
  #changed({ hasValue, created, offset }: Known): void {
    if (hasValue && created === this.#firstValue?.created) this.#firstValue = undefined
    if (!hasValue && offset === this.#firstRemoval?.offset) this.#firstRemoval = undefined
  }

  #entry(
    { offset, key, at, created, version, holder }: Known,
    operation: Entry["operation"],
    body: Uint8Array,
  ): Entry {
    return { offset, operation, collection: this.head.name, key, body, at, created, version, holder }
  }
}
