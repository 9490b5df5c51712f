import { type Database, open, type RootDatabase } from "lmdb"
import type { Entry } from "../../log/log.ts"
import { decodeRun, weighRun } from "./event-run.ts"
import {
  type EntryPart,
  entryKey,
  headKey,
  type KeyedPart,
  nameKey,
  OFFSET_MAX,
  offsetOfKey,
  PART,
} from "./keys.ts"
import { bufferOf, type ChannelHead, decodeEntry, decodeHead, emptyHead, type Weight } from "./record.ts"

type Table = Database<Uint8Array, Uint8Array>

/** What is known of the log as a whole: its epoch, the name of the one who writes, and how many channels there are. */
type MetaKey = "epoch" | "writer" | "channels"

/** What trimming has to know of a run of events: under which offset it stands, and what is in it. */
export interface Run {
  readonly first: number
  readonly weights: readonly Weight[]
}

/**
 * The LMDB environment and its tables. Reads are synchronous and see what is committed, or, within `transact`, what the
 * transaction has written. LMDB itself never syncs to disk here: see checkpoint.ts.
 */
export class Store {
  /** Entries, their index and heads: see keys.ts. */
  readonly entries: Table
  /** Channel name to number. */
  readonly channels: Table
  /** Idempotency keys, by time: see dedupe-journal.ts. */
  readonly journal: Table
  readonly #meta: Table
  readonly #root: RootDatabase

  constructor(path: string, { readOnly }: { readonly readOnly: boolean }) {
    this.#root = open(path, {
      maxDbs: 8,
      readOnly,
      ...(readOnly ? {} : { noSync: true, overlappingSync: false }),
    })
    const table = (name: string): Table => {
      const found = this.#root.openDB<Uint8Array, Uint8Array>(name, {
        encoding: "binary",
        keyEncoding: "binary",
      })
      // Opened for reading, lmdb answers with undefined for a table that is not there.
      if ((found as Table | undefined) === undefined) throw new Error(`The table ${name} is missing.`)
      return found
    }
    this.entries = table("entries")
    this.channels = table("channels")
    this.journal = table("journal")
    this.#meta = table("meta")
  }

  /** Runs `work` in a transaction and commits it. What `work` throws aborts it and is thrown on. */
  transact(work: () => void): void {
    this.#root.transactionSync(work)
  }

  /** Lets the next read see what other processes have committed. */
  refresh(): void {
    this.#root.resetReadTxn()
  }

  /** Keeps everything that is committed now from being overwritten, until the returned function is called. */
  pin(): () => void {
    this.#root.resetReadTxn()
    const transaction = this.#root.useReadTransaction()
    this.#root.resetReadTxn()
    return () => transaction.done()
  }

  get pageBytes(): number {
    return (this.#root.getStats() as { readonly pageSize: number }).pageSize
  }

  meta(key: MetaKey): string | undefined {
    const record = this.#meta.get(Buffer.from(key))
    return record === undefined ? undefined : Buffer.from(record).toString()
  }

  putMeta(key: MetaKey, value: string): void {
    this.#meta.putSync(Buffer.from(key), Buffer.from(value))
  }

  channelId(name: string): number | undefined {
    const record = this.channels.get(nameKey(name))
    return record === undefined ? undefined : Buffer.from(record).readUInt32BE(0)
  }

  head(id: number): ChannelHead {
    const record = this.entries.get(headKey(id))
    return record === undefined ? emptyHead() : decodeHead(record)
  }

  /** A channel's values or tombstones with offsets in (after, through], in order; read as they are asked for. */
  *keyed(id: number, part: KeyedPart, after: number, through: number, limit: number): Generator<Entry> {
    for (const { key, value } of this.#range(id, part, after + 1, through, limit)) {
      yield decodeEntry(offsetOfKey(key), value)
    }
  }

  /** A channel's events with offsets in (after, through], in order; read as they are asked for. */
  *events(id: number, after: number, through: number, limit: number): Generator<Entry> {
    const first = this.#runAt(id, after + 1)
    // One run more than there are events: of the first one, all may lie below.
    for (const { key, value } of this.#range(id, PART.events, first, through, limit + 1)) {
      for (const event of decodeRun(offsetOfKey(key), value)) {
        if (event.offset > after && event.offset <= through) yield event
      }
    }
  }

  /** The first runs of the channel's events that lie above `floor`, wholly or in part. */
  runs(id: number, floor: number, through: number, limit: number): readonly Run[] {
    const runs = this.#range(id, PART.events, this.#runAt(id, floor + 1), through, limit)
    return Array.from(runs, ({ key, value }) => ({
      first: offsetOfKey(key),
      weights: weighRun(bufferOf(value)),
    }))
  }

  /** The offset of the event that `count - 1` others follow. */
  eventFromEnd(id: number, count: number): number | undefined {
    const [start, end] = [entryKey(id, PART.events, OFFSET_MAX), entryKey(id, PART.events, 0)]
    let left = count
    for (const { value } of this.entries.getRange({ start, end, reverse: true })) {
      const weights = weighRun(bufferOf(value))
      if (weights.length >= left) return weights[weights.length - left]?.offset
      left -= weights.length
    }
    return undefined
  }

  /** Gives a channel its number. Has to run within a transaction. */
  addChannel(name: string, id: number): void {
    const record = Buffer.allocUnsafe(4)
    record.writeUInt32BE(id, 0)
    this.channels.putSync(nameKey(name), record)
  }

  /** The offset of the first event in the run in which the one with this offset would stand. */
  #runAt(id: number, offset: number): number {
    const [start, end] = [entryKey(id, PART.events, offset), entryKey(id, PART.events, 0)]
    for (const key of this.entries.getKeys({ start, end, reverse: true, limit: 1 })) return offsetOfKey(key)
    return offset
  }

  #range(id: number, part: EntryPart, from: number, through: number, limit: number) {
    const start = entryKey(id, part, from)
    const end = entryKey(id, part, Math.min(through, OFFSET_MAX - 1) + 1)
    return this.entries.getRange({ start, end, limit })
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}
