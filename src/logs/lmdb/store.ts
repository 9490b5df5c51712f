import { type Database, open, type RootDatabase } from "lmdb"
import type { Entry } from "../../log/entry.ts"
import { type ChannelHead, decodeHead } from "./channel-head.ts"
import { decodeFacts, type Weight, weighFacts } from "./fact-run.ts"
import {
  headKey,
  lastNumberOf,
  nameKey,
  OFFSET_MAX,
  type OffsetPart,
  offsetKey,
  PART,
  type Place,
  sequenceKey,
} from "./keys.ts"
import { bufferOf } from "./record.ts"
import { readText, textBytesMax, writeText } from "./text.ts"

const CHANNEL_BYTES = 6

type Table = Database<Uint8Array, Uint8Array>

/**
 * What is known of the log as a whole: its epoch, the name of its writer, how many channels there are, the number of the last
 * one that was made, and the highest offset of those that were forgotten.
 */
type MetaKey = "epoch" | "writer" | "channels" | "lastChannel" | "forgotten"

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
  /** Pieces of values that are to be deleted: see garbage.ts. */
  readonly garbage: Table
  readonly #meta: Table
  readonly #root: RootDatabase
  #removed = 0

  constructor(path: string, { readOnly }: { readonly readOnly: boolean }) {
    this.#root = open(path, {
      maxDbs: 8,
      readOnly,
      // otherwise lmdb takes a name with a dot for a file
      noSubdir: false,
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
    this.garbage = table("garbage")
    this.#meta = table("meta")
  }

  /** Runs `work` in a transaction and commits it. What `work` throws aborts it and is thrown on. */
  transact(work: () => void): void {
    this.#removed = 0
    this.#root.transactionSync(work)
  }

  /** How many records the transaction has removed. */
  get removed(): number {
    return this.#removed
  }

  /** Removes a record of `entries`. Has to run within a transaction. */
  remove(key: Uint8Array): void {
    this.#removed++
    this.entries.removeSync(key)
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
    return record === undefined ? undefined : bufferOf(record).readUIntLE(0, CHANNEL_BYTES)
  }

  /** Gives a channel its number. Has to run within a transaction. */
  addChannel(name: string, id: number): void {
    const record = Buffer.allocUnsafe(CHANNEL_BYTES + textBytesMax(name))
    record.writeUIntLE(id, 0, CHANNEL_BYTES)
    this.channels.putSync(nameKey(name), record.subarray(0, writeText(record, CHANNEL_BYTES, name)))
  }

  /** The name of the channel that follows another one in the file; without another, of the first. */
  channelAfter(name: string | undefined): string | undefined {
    const start = name === undefined ? Buffer.alloc(1) : Buffer.concat([nameKey(name), Buffer.alloc(1)])
    for (const { value } of this.channels.getRange({ start, limit: 1 }))
      return readText(bufferOf(value), CHANNEL_BYTES).text
    return undefined
  }

  /** Has to run within a transaction. */
  removeChannel(name: string, id: number): void {
    this.channels.removeSync(nameKey(name))
    this.removeRange(sequenceKey(id), sequenceKey(id + 1))
  }

  /** 0 when it is not there. */
  metaNumber(key: MetaKey): number {
    return Number(this.meta(key) ?? "0")
  }

  head(channel: number): ChannelHead {
    const record = this.entries.get(headKey(channel))
    if (record === undefined) throw new RangeError(`the head of channel ${channel} is missing`)
    return decodeHead(record)
  }

  /** Records of a part of a collection with offsets in [from, through], in order; read as they are asked for. */
  range(place: Place, part: OffsetPart, from: number, through: number, limit?: number) {
    const start = offsetKey(place, part, from)
    const end = offsetKey(place, part, Math.min(through, OFFSET_MAX - 1) + 1)
    return this.entries.getRange({ start, end, ...(limit !== undefined && { limit }) })
  }

  /** Facts with offsets in (after, through], in order; read as they are asked for. */
  *facts(place: Place, collection: string, after: number, through: number): Generator<Entry> {
    const first = this.#runAt(place, after + 1)
    for (const { key, value } of this.range(place, PART.facts, first, through)) {
      for (const fact of decodeFacts(collection, lastNumberOf(key), value)) {
        if (fact.offset > after && fact.offset <= through) yield fact
      }
    }
  }

  /** Facts with offsets in (after, before), the last one first. */
  *factsBackwards(place: Place, collection: string, after: number, before: number): Generator<Entry> {
    const start = offsetKey(place, PART.facts, Math.min(before, OFFSET_MAX))
    const end = offsetKey(place, PART.facts, 0)
    for (const { key, value } of this.entries.getRange({ start, end, reverse: true })) {
      for (const fact of decodeFacts(collection, lastNumberOf(key), value).reverse()) {
        if (fact.offset <= after) return
        if (fact.offset < before) yield fact
      }
    }
  }

  /** Of the facts in the first runs that lie above `floor`, wholly or in part. */
  weights(place: Place, floor: number, through: number, runs: number): Weight[] {
    const range = this.range(place, PART.facts, this.#runAt(place, floor + 1), through, runs)
    return Array.from(range, ({ value }) => weighFacts(bufferOf(value))).flat()
  }

  /** The offset of the fact that `count - 1` others follow. */
  factFromEnd(place: Place, count: number): number | undefined {
    const [start, end] = [offsetKey(place, PART.facts, OFFSET_MAX), offsetKey(place, PART.facts, 0)]
    let left = count
    for (const { value } of this.entries.getRange({ start, end, reverse: true })) {
      const weights = weighFacts(bufferOf(value))
      if (weights.length >= left) return weights[weights.length - left]?.offset
      left -= weights.length
    }
    return undefined
  }

  /** Removes what stands from `start` on before `end`. Has to run within a transaction. */
  removeRange(start: Buffer, end: Buffer): void {
    for (const key of [...this.entries.getKeys({ start, end })]) this.remove(key)
  }

  /** The offset of the first fact in the run in which the one with this offset would stand. */
  #runAt(place: Place, offset: number): number {
    const [start, end] = [offsetKey(place, PART.facts, offset), offsetKey(place, PART.facts, 0)]
    for (const key of this.entries.getKeys({ start, end, reverse: true, limit: 1 })) return lastNumberOf(key)
    return offset
  }

  async close(): Promise<void> {
    await this.#root.close()
  }
}
