import type { AppendOptions, Draft, Entry, LogKeep } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { DedupeTable } from "../memory/dedupe-table.ts"
import { type DedupeJournal, journalled } from "./dedupe-journal.ts"
import { encodeRun, RUN_BYTES_MAX, runBytesMax } from "./event-run.ts"
import { entryKey, headKey, indexKey, type KeyedPart, PART } from "./keys.ts"
import { OldestEvents } from "./oldest-events.ts"
import {
  type ChannelHead,
  decodeLatest,
  encodeEntry,
  encodeHead,
  encodeLatest,
  type Latest,
} from "./record.ts"
import type { Store } from "./store.ts"

/** What one channel may hold beside its events. */
export interface ChannelLimits {
  readonly keysPerChannelMax: number
  readonly tombstonesPerChannelMax: number
  readonly dedupeKeysPerChannelMax: number
}

/**
 * One channel as the writer sees it: its head, and what of the file it has read so far. All methods that change
 * something have to run within a transaction. When that fails, this object is wrong and has to be dropped; the next one
 * reads what is in the file.
 */
export class LmdbChannel {
  readonly id: number
  readonly #store: Store
  readonly #journal: DedupeJournal
  readonly #limits: ChannelLimits
  readonly #head: ChannelHead
  readonly #oldest: OldestEvents
  #dedupe: DedupeTable | undefined
  /** Events that were appended and are not written yet. */
  #run: Entry[] = []
  #runBytes = 0
  #changed = false

  constructor(id: number, store: Store, journal: DedupeJournal, limits: ChannelLimits) {
    this.id = id
    this.#store = store
    this.#journal = journal
    this.#limits = limits
    this.#head = store.head(id)
    this.#oldest = new OldestEvents(id, store, this.#head, () => this.#flushRun())
  }

  get head(): Readonly<ChannelHead> {
    return this.#head
  }

  /**
   * The offset under which the draft was appended before, or undefined.
   * @throws HoldfastError `idempotency_conflict`
   */
  findDuplicate({ at }: Draft, { dedupe }: AppendOptions): number | undefined {
    return dedupe && this.#known(at).find(dedupe, at)
  }

  /** The offset of the latest entry under the draft's key; 0 when there is none. */
  latest(draft: Draft): number {
    const record = this.#store.entries.get(indexKey(this.id, draft))
    return record === undefined ? 0 : decodeLatest(record).offset
  }

  /** @throws HoldfastError `log_full` before anything was changed. */
  append({ kind, name, key, body, at }: Draft, { keep, dedupe }: AppendOptions): Entry {
    const entry: Entry = { offset: this.#head.top + 1, kind, name, key, body, at }
    if (kind === "event") {
      this.#push(entry)
    } else {
      this.#supersede(entry)
    }
    this.#head.top = entry.offset
    this.#changed = true
    if (dedupe !== undefined) {
      const known = journalled(dedupe, entry.offset, at)
      this.#known(at).add(dedupe, entry.offset, at)
      this.#head.dedupeChunk = this.#journal.add(this.id, this.#head.dedupeChunk, known)
      this.#head.dedupeUntil = Math.max(this.#head.dedupeUntil, known.expiresAt)
    }
    this.#trimEvents(keep, at)
    this.#dropTombstones(Number.NEGATIVE_INFINITY)
    return entry
  }

  /** Trims by age what appends did not, and deletes from the file what is trimmed. */
  trim(keep: Required<LogKeep>, nowMs: number): void {
    this.#trimEvents(keep, nowMs)
    this.#dropTombstones(nowMs - keep.forMs)
    this.#changed = this.#oldest.delete() || this.#changed
    this.#dedupe?.forget(nowMs)
  }

  /** Writes the head, if it changed. Has to be called before the transaction ends. */
  flush(): void {
    if (!this.#changed) return
    this.#flushRun()
    this.#store.entries.putSync(headKey(this.id), encodeHead(this.#head))
    this.#changed = false
  }

  #push(event: Entry): void {
    const bytes = runBytesMax(event)
    if (this.#runBytes + bytes > RUN_BYTES_MAX) this.#flushRun()
    this.#run.push(event)
    this.#runBytes += bytes
    this.#oldest.push(event, this.#run[0]?.offset ?? event.offset)
  }

  /** Writes the events that were appended since the last run. */
  #flushRun(): void {
    const first = this.#run[0]
    if (first === undefined) return
    this.#store.entries.putSync(entryKey(this.id, PART.events, first.offset), encodeRun(this.#run))
    this.#run = []
    this.#runBytes = 0
  }

  #known(nowMs: number): DedupeTable {
    if (this.#dedupe === undefined) {
      const countMax = this.#limits.dedupeKeysPerChannelMax
      this.#dedupe = new DedupeTable(countMax)
      const { dedupeChunk, dedupeUntil } = this.#head
      const known = dedupeUntil > nowMs ? this.#journal.load(this.id, dedupeChunk, nowMs, countMax) : []
      for (const { key, fingerprint, offset, expiresAt } of known) {
        this.#dedupe.add({ key, fingerprint, windowMs: expiresAt - nowMs }, offset, nowMs)
      }
    }
    return this.#dedupe
  }

  #supersede(entry: Entry): void {
    const index = indexKey(this.id, entry)
    const record = this.#store.entries.get(index)
    const before = record === undefined ? undefined : decodeLatest(record)
    const isTombstone = entry.kind === "delete" || entry.kind === "left"
    const addsValue = !isTombstone && (before === undefined || before.isTombstone)
    if (addsValue && this.#head.values >= this.#limits.keysPerChannelMax) {
      const limit = this.#limits.keysPerChannelMax
      throw new HoldfastError(
        "log_full",
        "The channel has as many keys as it may have. Nothing was published.",
        { limit },
      )
    }
    if (before !== undefined) this.#remove(before)
    this.#store.entries.putSync(entryKey(this.id, partOf(isTombstone), entry.offset), encodeEntry(entry))
    this.#store.entries.putSync(index, encodeLatest({ offset: entry.offset, isTombstone }))
    this.#head[countOf(isTombstone)]++
  }

  #remove({ offset, isTombstone }: Latest): void {
    this.#store.entries.removeSync(entryKey(this.id, partOf(isTombstone), offset))
    this.#head[countOf(isTombstone)]--
  }

  #trimEvents(keep: Required<LogKeep>, nowMs: number): void {
    const head = this.#head
    const oldestAt = nowMs - keep.forMs
    const byAge = Number.isFinite(oldestAt)
    while (head.events > 0 && (head.events > keep.events || head.eventBytes > keep.bytes || byAge)) {
      const oldest = this.#oldest.first()
      if (oldest === undefined) throw new RangeError(`channel ${this.id} has fewer events than its head says`)
      if (head.events <= keep.events && head.eventBytes <= keep.bytes && oldest.at >= oldestAt) return
      this.#oldest.trimFirst()
      this.#changed = true
    }
  }

  /** Drops the oldest tombstones, beyond the limit or older than `oldestAt`. */
  #dropTombstones(oldestAt: number): void {
    const head = this.#head
    const tombstonesMax = Math.max(this.#limits.tombstonesPerChannelMax, head.values)
    while (head.tombstones > tombstonesMax || (head.tombstones > 0 && Number.isFinite(oldestAt))) {
      const [oldest] = this.#store.keyed(this.id, PART.tombstones, 0, head.top, 1)
      if (oldest === undefined)
        throw new RangeError(`channel ${this.id} has fewer tombstones than its head says`)
      if (head.tombstones <= tombstonesMax && oldest.at >= oldestAt) return
      this.#remove({ offset: oldest.offset, isTombstone: true })
      this.#store.entries.removeSync(indexKey(this.id, oldest))
      head.tombstoneFloor = Math.max(head.tombstoneFloor, oldest.offset)
      this.#changed = true
    }
  }
}

function partOf(isTombstone: boolean): KeyedPart {
  return isTombstone ? PART.tombstones : PART.values
}

function countOf(isTombstone: boolean): "tombstones" | "values" {
  return isTombstone ? "tombstones" : "values"
}
