import type { KeyState } from "../../log/condition.ts"
import type { Entry } from "../../log/entry.ts"
import type { Range } from "../../log/log.ts"
import type { AppendOptions, Extend, Put, Remove, Retention } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { OffsetList } from "./offset-list.ts"
import { Value } from "./value.ts"

/** A key with its value, or, without one, the removal that is remembered of it. */
export interface Item extends KeyState {
  readonly key: string
  readonly account: string | undefined
  /** Of the entry that created it, and when. */
  readonly created: number
  readonly createdAt: number
  hasValue: boolean
  offset: number
  at: number
  version: number
  holder: string
  lapsesAt: number
  value: Value
}

export interface KeysLimits {
  readonly keysMax: number
  readonly tombstonesMax: number
}

/** A collection of keys: the latest value of each, and the removals of late. */
export class Keys {
  readonly kind = "keys"
  /** The greatest offset that was lost: of a key that was trimmed, or a removal that was forgotten. */
  floor = 0
  /** The highest version among these. */
  forgottenVersion = 0
  readonly items = new Map<string, Item>()
  /** Items with a value, by their latest offset. */
  readonly values = new OffsetList<Item>()
  /** Those of them whose value was extended. */
  readonly extended = new OffsetList<Item>()
  /** Items with a value, by the offset at which they were created. */
  readonly created = new OffsetList<Item>()
  /** Items without one. */
  readonly tombstones = new OffsetList<Item>()
  readonly #collection: string
  readonly #limits: KeysLimits
  readonly #accounts = new Map<string, number>()
  #bytes = 0

  constructor(collection: string, limits: KeysLimits) {
    this.#collection = collection
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.items.size === 0
  }

  /**
   * Whether a put has room; if not, what is beyond the retention is trimmed first.
   * @throws HoldfastError `quota_exceeded`, `log_full`, when this would add a key beyond what may be had
   */
  checkSpace({ key, body, at }: Put, { account, retention }: AppendOptions): void {
    if (key !== undefined && this.items.get(key)?.hasValue === true) return
    const isSpent = () => account !== undefined && (this.#accounts.get(account.name) ?? 0) >= account.keysMax
    // if the new key pushes another one out, their number does not grow
    const isFull = () =>
      this.values.size >= this.#limits.keysMax &&
      this.values.size < retention.entries &&
      this.#bytes + body.byteLength <= retention.bytes
    if (!isSpent() && !isFull()) return
    this.#trimValues(retention, at)
    if (account !== undefined && isSpent())
      throw new HoldfastError(
        "quota_exceeded",
        "The user has as many keys in this channel as one user may have. Nothing was published.",
        { limit: account.keysMax },
      )
    if (isFull())
      throw new HoldfastError(
        "log_full",
        "The log has as many keys in this channel as one may have. Nothing was published.",
        { limit: this.#limits.keysMax },
      )
  }

  put(
    put: Put,
    key: string,
    offset: number,
    version: number,
    account: string | undefined,
    lapsesAt: number,
  ): Entry {
    const { body, at, holder = "" } = put
    const before = this.items.get(key)
    if (before !== undefined) this.#unlist(before)
    const isNew = before?.hasValue !== true
    const item: Item = {
      key,
      hasValue: true,
      offset,
      at,
      version,
      holder,
      lapsesAt,
      created: isNew ? offset : before.created,
      createdAt: isNew ? at : before.createdAt,
      account: isNew ? account : before.account,
      value: new Value(body, offset),
    }
    this.items.set(key, item)
    this.values.push(offset, item)
    if (isNew) {
      this.created.push(offset, item)
      if (account !== undefined) this.#accounts.set(account, (this.#accounts.get(account) ?? 0) + 1)
    } else {
      this.created.replace(item.created, item)
    }
    this.#bytes += body.byteLength
    return this.#entry(item, "put", body)
  }

  extend({ body, at }: Extend, item: Item, offset: number, version: number): Entry {
    this.values.remove(item.offset)
    this.extended.remove(item.offset)
    item.value.extend(body, offset)
    Object.assign(item, { offset, at, version })
    this.values.push(offset, item)
    this.extended.push(offset, item)
    this.#bytes += body.byteLength
    return this.#entry(item, "extend", body)
  }

  remove({ body, at, key }: Remove, offset: number, version: number): Entry {
    const before = this.items.get(key)
    if (before !== undefined) this.#unlist(before)
    const item: Item = {
      key,
      hasValue: false,
      offset,
      at,
      version,
      holder: "",
      lapsesAt: Number.POSITIVE_INFINITY,
      created: before?.created ?? offset,
      createdAt: before?.createdAt ?? at,
      account: undefined,
      value: new Value(body, offset),
    }
    if (before?.hasValue === true) this.#uncount(before)
    this.items.set(key, item)
    this.tombstones.push(offset, item)
    return this.#entry(item, "remove", body)
  }

  trim(retention: Retention, nowMs: number): void {
    this.#trimValues(retention, nowMs)
    this.#trimRemovals(retention, nowMs)
  }

  #trimValues({ entries, bytes, forMs }: Retention, nowMs: number): void {
    for (;;) {
      const first = this.created.first()
      if (first === undefined) break
      const isWithin = this.values.size <= entries && this.#bytes <= bytes
      if (isWithin && first.createdAt >= nowMs - forMs) break
      this.#unlist(first)
      this.#uncount(first)
      this.#lose(first)
    }
  }

  #trimRemovals({ removalsForMs }: Retention, nowMs: number): void {
    const tombstonesMax = Math.max(this.#limits.tombstonesMax, this.values.size)
    for (;;) {
      const first = this.tombstones.first()
      if (first === undefined) break
      if (this.tombstones.size <= tombstonesMax && first.at >= nowMs - removalsForMs) break
      this.#unlist(first)
      this.#lose(first)
    }
  }

  /** An item as a reader behind `after` has to see it. */
  entry(item: Item, after: number): Entry {
    if (!item.hasValue) return this.#entry(item, "remove", item.value.whole())
    return this.#valueEntry(item, after, item.offset)
  }

  /** What values that have grown behind `through` were by then, for a reader behind `after`. */
  earlierEntries(after: number, through: number, select: Range["select"]): Entry[] {
    const entries: Entry[] = []
    const list = this.extended
    for (let slot = list.next(list.seek(through)); slot < list.end; slot = list.next(slot + 1)) {
      const item = list.at(slot) as Item
      if (item.value.putAt > through) continue
      const offset = item.value.lastChange(through)
      if (offset > after) entries.push(this.#valueEntry(item, select === "fold" ? 0 : after, offset))
    }
    return entries
  }

  #valueEntry(item: Item, after: number, offset: number): Entry {
    const operation = item.value.putAt <= after ? "extend" : "put"
    return { ...this.#entry(item, operation, item.value.between(after, offset)), offset }
  }

  #entry(item: Item, operation: Entry["operation"], body: Uint8Array): Entry {
    const { offset, key, at, created, version, holder } = item
    return { offset, operation, collection: this.#collection, key, body, at, created, version, holder }
  }

  /** Takes it out of the order of offsets. */
  #unlist(item: Item): void {
    if (!item.hasValue) {
      this.tombstones.remove(item.offset)
      return
    }
    this.values.remove(item.offset)
    this.extended.remove(item.offset)
    this.#bytes -= item.value.byteLength
  }

  /** It has no value any more. */
  #uncount({ created, account }: Item): void {
    this.created.remove(created)
    if (account === undefined) return
    const left = (this.#accounts.get(account) ?? 1) - 1
    if (left > 0) this.#accounts.set(account, left)
    else this.#accounts.delete(account)
  }

  #lose({ key, offset, version }: Item): void {
    this.items.delete(key)
    this.floor = Math.max(this.floor, offset)
    this.forgottenVersion = Math.max(this.forgottenVersion, version)
  }
}
