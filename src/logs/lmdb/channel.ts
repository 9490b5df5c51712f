import { judge } from "../../log/condition.ts"
import type { Entry } from "../../log/entry.ts"
import type { AppendOptions, Dedupe, Extend, Operation, Put, Remove, Retention } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { IdempotencyKeys } from "../memory/idempotency-keys.ts"
import { type ChannelHead, type CollectionHead, encodeHead, newCollection } from "./channel-head.ts"
import type { DedupeJournal } from "./dedupe-journal.ts"
import { Facts } from "./facts.ts"
import { Garbage } from "./garbage.ts"
import { idempotencyKeysOf } from "./idempotency-loading.ts"
import { KeyCollection, type KeyLimits, type Known, type Stamp } from "./key-collection.ts"
import { headKey } from "./keys.ts"
import { stepByStep } from "./step-by-step.ts"
import type { Store } from "./store.ts"
import type { ValueState } from "./value-record.ts"

/** Each append writes all heads of its channel's collections. */
const COLLECTIONS_MAX = 1_000

/** What one channel may hold beside its facts. */
export interface ChannelLimits extends KeyLimits {
  readonly idempotencyKeysPerChannelMax: number
}

/** What became of an operation: `Outcome` without the log's epoch. */
export interface Done {
  readonly status: "appended" | "unchanged" | "duplicate" | "refused"
  readonly offset: number
  readonly version?: number
  readonly entry?: Entry
}

/**
 * One channel as the writer sees it: its head, and what of the file it has read so far. All methods that change
 * something have to run within a transaction. When that fails, this object is wrong and has to be dropped; the next one
 * reads what is in the file.
 */
export class LmdbChannel {
  readonly id: number
  readonly head: ChannelHead
  readonly #store: Store
  readonly #journal: DedupeJournal
  readonly #limits: ChannelLimits
  readonly #collections = new Map<string, Facts | KeyCollection>()
  #idempotencyKeys: IdempotencyKeys | undefined
  #loading: Promise<void> | undefined
  #isChanged = false
  /** Those with facts that were appended and are not written yet. */
  readonly #unwritten: Facts[] = []
  readonly #garbage: Garbage

  constructor(id: number, head: ChannelHead, store: Store, journal: DedupeJournal, limits: ChannelLimits) {
    this.id = id
    this.head = head
    this.#store = store
    this.#journal = journal
    this.#limits = limits
    this.#garbage = new Garbage(store)
  }

  /**
   * Has to be prepared.
   * @throws HoldfastError `idempotency_conflict`, `quota_exceeded`, `log_full`; TypeError when the collection holds what the
   *   operation is not for: before anything was changed
   */
  append(operation: Operation, options: AppendOptions, nowMs: number): Done {
    const { dedupe, account, retention } = options
    const first = dedupe && this.#idempotencyKeys?.find(dedupe, operation.at)
    if (first !== undefined) return { status: "duplicate", offset: first }
    const done = this.#apply(operation, options, nowMs)
    if (done.status === "refused") return done
    if (dedupe !== undefined) this.#remember(dedupe, account?.name, done.offset, operation.at)
    const collection = this.#collection(operation.collection)
    if (collection !== undefined) {
      collection.head.retention = retention
      collection.trim(retention, operation.at)
    }
    this.#isChanged = true
    return done
  }

  /**
   * Reads the idempotency keys that an append with one has to know of. Resolves when they are read, or is undefined when that
   * took a moment: a channel may have a million of them.
   */
  prepare({ dedupe }: AppendOptions, nowMs: number): Promise<void> | undefined {
    if (dedupe === undefined || this.#idempotencyKeys !== undefined) return undefined
    this.#loading ??= this.#load(nowMs)
    return this.#loading
  }

  #load(nowMs: number): Promise<void> | undefined {
    const { dedupeChunk: chunk, dedupeUntil } = this.head
    const at = { channel: this.id, chunk: dedupeUntil > nowMs ? chunk : 0, nowMs }
    return stepByStep(idempotencyKeysOf(this.#journal, at), (keys) => {
      this.#idempotencyKeys = keys
      this.#loading = undefined
    })
  }

  /** Takes over what the collections retain from now on, and trims them. */
  trim(retentions: Readonly<Record<string, Retention>>, nowMs: number): void {
    for (const [name, retention] of Object.entries(retentions)) {
      const head = this.head.collections.get(name)
      if (head !== undefined) head.retention = retention
    }
    this.#isChanged = true
    this.tidy(nowMs)
  }

  /** Drops what has outlived its time, also from the file. Returns whether the head has changed. */
  tidy(nowMs: number): boolean {
    for (const [name, { retention }] of this.head.collections) {
      const collection = this.#collection(name)
      if (collection?.trim(retention, nowMs)) this.#isChanged = true
      if (collection instanceof Facts) collection.shrink()
    }
    this.#idempotencyKeys?.forget(nowMs)
    return this.#isChanged
  }

  /** Whether nothing is left that a reader or a repetition could find. */
  isEmpty(nowMs: number): boolean {
    if (this.head.dedupeUntil > nowMs) return false
    for (const { entries, removals } of this.head.collections.values())
      if (entries + removals > 0) return false
    return !this.#garbage.isIn(this.id)
  }

  /** Whether a collection holds more than it retains: the last trim has left that for another turn. */
  get isUntrimmed(): boolean {
    for (const { hasMore } of this.#collections.values()) if (hasMore) return true
    return false
  }

  /** Writes what was not written yet. Has to be called before the transaction ends. */
  flush(): void {
    if (!this.#isChanged) return
    for (const facts of this.#unwritten) facts.flush()
    this.#unwritten.length = 0
    this.#store.entries.putSync(headKey(this.id), encodeHead(this.head))
    this.#isChanged = false
  }

  #apply(operation: Operation, options: AppendOptions, nowMs: number): Done {
    if (operation.operation !== "append") return this.#change(operation, options, nowMs)
    const facts = this.#facts(operation.collection, options.retention)
    this.#checkDedupe(options, operation.at)
    if (!this.#unwritten.includes(facts)) this.#unwritten.push(facts)
    const entry = facts.append(operation, ++this.head.top)
    return { status: "appended", offset: entry.offset, entry }
  }

  #change(operation: Put | Extend | Remove, options: AppendOptions, nowMs: number): Done {
    const keys = this.#keys(operation.collection, options.retention)
    const { condition, account } = options
    const known = keys.find(operation.key ?? `${this.head.top + 1}`)
    const verdict = judge(operation, condition, {
      key: operation.key === undefined ? undefined : known,
      forgottenVersion: keys.head.forgottenVersion,
      nowMs,
      isSameBody: () => keys.isValue(known, operation.body),
    })
    if (typeof verdict === "object") {
      const version = verdict.lowest !== undefined && { version: verdict.lowest }
      return { status: "refused", offset: known?.offset ?? 0, ...version }
    }
    const version = condition?.version ?? known?.version ?? 0
    const isNew = operation.operation === "put" && known?.hasValue !== true
    if (verdict === "apply" && isNew) {
      // what is trimmed for its sake is gone also when there is no room then
      this.#isChanged = true
      keys.checkSpace(operation, options)
    }
    this.#checkDedupe(options, operation.at)
    if (verdict === "touch") {
      keys.touch(touched(known as Known, operation, version, nowMs))
      return { status: "unchanged", offset: (known as Known).offset }
    }
    const stamp = { offset: ++this.head.top, version }
    return {
      status: "appended",
      offset: stamp.offset,
      entry: changed(keys, operation, known, stamp, { account: account?.name, nowMs }),
    }
  }

  #facts(name: string, retention: Retention): Facts {
    const collection = this.#collection(name) ?? this.#open(this.#newCollection(name, false, retention))
    if (collection instanceof Facts) return collection
    throw new TypeError(
      `The collection "${name}" holds keys and cannot be appended to. Nothing was published.`,
    )
  }

  #keys(name: string, retention: Retention): KeyCollection {
    const collection = this.#collection(name) ?? this.#open(this.#newCollection(name, true, retention))
    if (collection instanceof KeyCollection) return collection
    throw new TypeError(
      `The collection "${name}" is appended to and cannot hold keys. Nothing was published.`,
    )
  }

  #collection(name: string): Facts | KeyCollection | undefined {
    const collection = this.#collections.get(name)
    if (collection !== undefined) return collection
    const head = this.head.collections.get(name)
    return head && this.#open(head)
  }

  #newCollection(name: string, isKeyed: boolean, retention: Retention): CollectionHead {
    const limit = COLLECTIONS_MAX
    if (this.head.collections.size < limit) return newCollection(this.head, name, isKeyed, retention)
    const text = "The channel has as many collections as it may have. Nothing was published."
    throw new HoldfastError("log_full", text, { limit })
  }

  #open(head: CollectionHead): Facts | KeyCollection {
    const place = { channel: this.id, collection: head.number }
    const collection =
      head.keyed === 1
        ? new KeyCollection(this.#store, place, head, this.#limits)
        : new Facts(this.#store, place, this.head, head)
    this.#collections.set(head.name, collection)
    return collection
  }

  #checkDedupe({ dedupe, account }: AppendOptions, nowMs: number): void {
    if (dedupe === undefined) return
    this.#idempotencyKeys ??= new IdempotencyKeys()
    this.#idempotencyKeys.checkSpace(account, this.#limits.idempotencyKeysPerChannelMax, nowMs)
  }

  #remember(dedupe: Dedupe, account: string | undefined, offset: number, at: number): void {
    this.#idempotencyKeys?.add(dedupe, account, offset, at)
    this.head.dedupeChunk = this.#journal.add(this.id, this.head.dedupeChunk, { dedupe, account, offset, at })
    this.head.dedupeUntil = Math.max(this.head.dedupeUntil, at + dedupe.windowMs)
  }
}

function changed(
  keys: KeyCollection,
  operation: Put | Extend | Remove,
  known: Known | undefined,
  stamp: Stamp,
  { account, nowMs }: { readonly account: string | undefined; readonly nowMs: number },
): Entry {
  if (operation.operation === "put")
    return keys.put(operation, known, stamp, leaseEnd(operation, nowMs), account)
  if (operation.operation === "remove") return keys.remove(operation, known, stamp)
  return keys.extend(operation, known as ValueState, stamp)
}

/** A key with what changes without an entry. */
function touched(known: Known, operation: Put | Extend | Remove, version: number, nowMs: number): Known {
  if (!known.hasValue || operation.operation !== "put") return { ...known, version }
  return { ...known, version, holder: operation.holder ?? "", lapsesAt: leaseEnd(operation, nowMs) }
}

function leaseEnd({ leaseMs }: Put, nowMs: number): number {
  return leaseMs === undefined ? Number.POSITIVE_INFINITY : nowMs + leaseMs
}
