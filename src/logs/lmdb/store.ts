import { type Database, open, type RootDatabase } from "lmdb"
import type { Entry } from "../../hub/log.ts"
import { type EntryPart, entryKey, headKey, nameKey, OFFSET_MAX, offsetOfKey } from "./keys.ts"
import { type ChannelHead, decodeEntry, decodeHead, decodeWeight, emptyHead, type Weight } from "./record.ts"

type Table = Database<Uint8Array, Uint8Array>

/** What is known of the log as a whole: its epoch, the name of the one who writes, and how many channels there are. */
type MetaKey = "epoch" | "writer" | "channels"

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

  /** The entries of a part with offsets in (after, through], in order; read as they are asked for. */
  *scan(id: number, part: EntryPart, after: number, through: number, limit: number): Generator<Entry> {
    for (const { key, value } of this.#range(id, part, after, through, limit)) {
      yield decodeEntry(offsetOfKey(key), value)
    }
  }

  /** The same entries, of each only what trimming has to know. */
  weigh(id: number, part: EntryPart, after: number, through: number, limit: number): Weight[] {
    const weights: Weight[] = []
    for (const { key, value } of this.#range(id, part, after, through, limit)) {
      weights.push(decodeWeight(offsetOfKey(key), value))
    }
    return weights
  }

  /** The offset of the entry of a part that `count - 1` others follow. */
  fromEnd(id: number, part: EntryPart, count: number): number | undefined {
    const range = { start: entryKey(id, part, OFFSET_MAX), end: entryKey(id, part, 0), reverse: true }
    for (const key of this.entries.getKeys({ ...range, offset: count - 1, limit: 1 })) return offsetOfKey(key)
    return undefined
  }

  /** Gives a channel its number. Has to run within a transaction. */
  addChannel(name: string, id: number): void {
    const record = Buffer.allocUnsafe(4)
    record.writeUInt32BE(id, 0)
    this.channels.putSync(nameKey(name), record)
  }

  #range(id: number, part: EntryPart, after: number, through: number, limit: number) {
    const start = entryKey(id, part, after + 1)
    const end = entryKey(id, part, Math.min(through, OFFSET_MAX - 1) + 1)
    return this.entries.getRange({ start, end, limit })
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}
