import { judge } from "../../log/condition.ts"
import type { Entry } from "../../log/entry.ts"
import type { BackRange, Range } from "../../log/log.ts"
import type { AppendOptions, Extend, Operation, Put, Remove, Retention } from "../../log/operation.ts"
import { equal } from "./equal.ts"
import { Facts } from "./facts.ts"
import { IdempotencyKeys } from "./idempotency-keys.ts"
import { type Item, Keys } from "./keys.ts"
import { mergedEntries } from "./merged-entries.ts"

export interface MemoryChannelLimits {
  readonly keysPerCollectionMax: number
  readonly tombstonesPerCollectionMax: number
  readonly idempotencyKeysPerChannelMax: number
}

/** What became of an operation: `Outcome` without the log's epoch. */
export interface Done {
  readonly status: "appended" | "unchanged" | "duplicate" | "refused"
  readonly offset: number
  readonly version?: number
  readonly entry?: Entry
}

interface Found {
  readonly entries: Entry[]
  readonly next: number
  /** Whether the page was full before its end. */
  readonly isCut: boolean
}

/** One channel: its collections, each with what it retains, and one count of offsets. */
export class MemoryChannel {
  readonly base: number
  readonly #limits: MemoryChannelLimits
  readonly #collections = new Map<string, Facts | Keys>()
  readonly #retentions = new Map<string, Retention>()
  #idempotencyKeys: IdempotencyKeys | undefined
  #top: number

  /** `base`: what was forgotten; offsets begin above. */
  constructor(base: number, limits: MemoryChannelLimits) {
    this.base = base
    this.#top = base
    this.#limits = limits
  }

  get top(): number {
    return this.#top
  }

  get floors(): Record<string, number> {
    const floors: Record<string, number> = {}
    for (const [name, { floor }] of this.#collections) if (floor > this.base) floors[name] = floor
    return floors
  }

  /** Whether nothing is left that a reader or a repetition could find. */
  get isEmpty(): boolean {
    if (this.#idempotencyKeys !== undefined && this.#idempotencyKeys.size > 0) return false
    for (const collection of this.#collections.values()) if (!collection.isEmpty) return false
    return true
  }

  append(operation: Operation, options: AppendOptions, nowMs: number): Done {
    const { dedupe, account, retention } = options
    const first = dedupe && this.#idempotencyKeys?.find(dedupe, operation.at)
    if (first !== undefined) return { status: "duplicate", offset: first }
    const done = this.#apply(operation, options, nowMs)
    if (done.status === "refused") return done
    if (dedupe !== undefined) {
      this.#idempotencyKeys ??= new IdempotencyKeys()
      this.#idempotencyKeys.add(dedupe, account?.name, done.offset, operation.at)
    }
    this.#retentions.set(operation.collection, retention)
    this.#collections.get(operation.collection)?.trim(retention, operation.at)
    return done
  }

  trim(retentions: Readonly<Record<string, Retention>>, nowMs: number): void {
    for (const [name, retention] of Object.entries(retentions)) this.#retentions.set(name, retention)
    this.tidy(nowMs)
  }

  /** Drops what has outlived its time. */
  tidy(nowMs: number): void {
    for (const [name, retention] of this.#retentions) this.#collections.get(name)?.trim(retention, nowMs)
    this.#idempotencyKeys?.forget(nowMs)
  }

  find(collection: string, key: string): Entry | undefined {
    const keys = this.#collections.get(collection)
    const item = keys?.kind === "keys" ? keys.items.get(key) : undefined
    return item && (keys as Keys).entry(item, 0)
  }

  offsetOfLast(collection: string, count: number): number {
    if (count <= 0) return this.#top
    const facts = this.#collections.get(collection)
    const floor = Math.max(this.base, facts?.floor ?? 0)
    if (facts?.kind !== "facts") return facts === undefined ? this.#top : floor
    const offset = facts.entries.offsetFromEnd(Math.min(count, facts.entries.size))
    return offset === undefined ? this.#top : Math.max(floor, offset - 1)
  }

  read(range: Range): Found {
    const found = this.#readTo(Math.min(range.through, this.#top), range)
    return found.isCut && range.select === "all" ? this.#readShorter(found.next, range) : found
  }

  /** Where a page ends decides how much a value that grows adds to it: finds the last end up to which all fits. */
  #readShorter(end: number, range: Range): Found {
    let found = this.#readTo(end, range)
    if (!found.isCut) return found
    let [low, high] = [range.after, end]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      const shorter = this.#readTo(middle, range)
      if (shorter.isCut) high = middle
      else {
        low = middle
        found = shorter
      }
    }
    return { ...found, next: found.entries.at(-1)?.offset ?? found.next }
  }

  readBack({ collection, before, entriesMax, bytesMax }: BackRange): {
    entries: Entry[]
    before: number | undefined
  } {
    const found = this.#collections.get(collection)
    const entries: Entry[] = []
    if (found === undefined) return { entries, before: undefined }
    const list = found.kind === "facts" ? found.entries : found.created
    let bytes = 0
    for (let slot = list.previous(list.seek(before - 1) - 1); slot >= 0; slot = list.previous(slot - 1)) {
      const thing = list.at(slot) as Entry | Item
      const entry = found.kind === "facts" ? (thing as Entry) : found.entry(thing as Item, 0)
      bytes += entry.body.byteLength
      if (entries.length > 0 && (entries.length >= entriesMax || bytes > bytesMax))
        return { entries, before: entries.at(-1)?.created }
      entries.push(entry)
    }
    return { entries, before: undefined }
  }

  #readTo(end: number, range: Range): Found {
    const { after, entriesMax, bytesMax } = range
    const entries: Entry[] = []
    let bytes = 0
    for (const entry of mergedEntries(this.#listed(range), range, end)) {
      bytes += entry.body.byteLength
      if (entries.length > 0 && (entries.length >= entriesMax || bytes > bytesMax)) {
        return { entries, next: entries.at(-1)?.offset ?? after, isCut: true }
      }
      entries.push(entry)
    }
    return { entries, next: Math.max(after, end), isCut: false }
  }

  #listed({ collections }: Range): (Facts | Keys)[] {
    if (collections === undefined) return [...this.#collections.values()]
    return collections.flatMap((name) => this.#collections.get(name) ?? [])
  }

  #apply(operation: Operation, options: AppendOptions, nowMs: number): Done {
    if (operation.operation === "append") {
      this.#checkDedupe(options, operation.at)
      const entry = this.#facts(operation.collection).append(operation, ++this.#top)
      return { status: "appended", offset: entry.offset, entry }
    }
    const keys = this.#keys(operation.collection)
    const item = operation.key === undefined ? undefined : keys.items.get(operation.key)
    const verdict = judge(operation, options.condition, {
      key: item,
      forgottenVersion: keys.forgottenVersion,
      nowMs,
      isSameBody: () => item !== undefined && equal(item.value.whole(), operation.body),
    })
    if (verdict === "apply") return this.#change(keys, operation, item, options, nowMs)
    const offset = item?.offset ?? 0
    if (verdict !== "touch") {
      return { status: "refused", offset, ...(verdict.lowest !== undefined && { version: verdict.lowest }) }
    }
    this.#checkDedupe(options, operation.at)
    if (item !== undefined) touch(item, operation, options, nowMs)
    return { status: "unchanged", offset }
  }

  #change(
    keys: Keys,
    operation: Put | Extend | Remove,
    item: Item | undefined,
    options: AppendOptions,
    nowMs: number,
  ): Done {
    const { account, condition } = options
    if (operation.operation === "put") keys.checkSpace(operation, options)
    this.#checkDedupe(options, operation.at)
    const offset = ++this.#top
    const version = condition?.version ?? item?.version ?? 0
    const entryOf = () => {
      switch (operation.operation) {
        case "put":
          return keys.put(
            operation,
            operation.key ?? `${offset}`,
            offset,
            version,
            account?.name,
            leaseEnd(operation, nowMs),
          )
        case "extend":
          return keys.extend(operation, item as Item, offset, version)
        case "remove":
          return keys.remove(operation, offset, version)
      }
    }
    return { status: "appended", offset, entry: entryOf() }
  }

  #checkDedupe({ dedupe, account }: AppendOptions, nowMs: number): void {
    if (dedupe === undefined) return
    this.#idempotencyKeys ??= new IdempotencyKeys()
    this.#idempotencyKeys.checkSpace(account, this.#limits.idempotencyKeysPerChannelMax, nowMs)
  }

  #facts(name: string): Facts {
    const found = this.#collections.get(name) ?? new Facts()
    if (found.kind !== "facts")
      throw new TypeError(`collection "${name}" holds keys and cannot be appended to`)
    this.#collections.set(name, found)
    return found
  }

  #keys(name: string): Keys {
    const { keysPerCollectionMax: keysMax, tombstonesPerCollectionMax: tombstonesMax } = this.#limits
    const found = this.#collections.get(name) ?? new Keys(name, { keysMax, tombstonesMax })
    if (found.kind !== "keys") throw new TypeError(`collection "${name}" is appended to and cannot hold keys`)
    this.#collections.set(name, found)
    return found
  }
}

/** Changes what is not told in an entry. */
function touch(item: Item, operation: Operation, { condition }: AppendOptions, nowMs: number): void {
  if (condition?.version !== undefined) item.version = condition.version
  if (operation.operation !== "put") return
  item.holder = operation.holder ?? ""
  item.lapsesAt = leaseEnd(operation, nowMs)
}

function leaseEnd({ leaseMs }: Put, nowMs: number): number {
  return leaseMs === undefined ? Number.POSITIVE_INFINITY : nowMs + leaseMs
}
