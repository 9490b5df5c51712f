import type { Dedupe } from "../../log/operation.ts"
import { lastNumberOf, OFFSET_MAX, sequenceKey } from "./keys.ts"
import { bufferOf, SHARED_PAGE_BYTES_MAX } from "./record.ts"
import type { Store } from "./store.ts"
import { readText, textBytesMax, writeText } from "./text.ts"

/** An idempotency key as it is journalled. */
export interface Journalled {
  readonly dedupe: Dedupe
  readonly account: string | undefined
  readonly offset: number
  /** When it came. */
  readonly at: number
}

export interface JournalledChunk {
  readonly journalled: Journalled[]
  readonly before: number
}

const CHUNK_HEADER_BYTES = 8
/** Channel, chunk before, offset, time and window. */
const RECORD_HEADER_BYTES = 6 + 6 + 6 + 8 + 8
/** In front of an account's name; without one there is nothing. */
const HAS_ACCOUNT = "@"

/** How many expired chunks are removed for each that is written, so that the journal shrinks faster than it grows. */
const REMOVED_PER_WRITTEN = 3

/**
 * The idempotency keys of all channels in the order in which they came, in chunks of some twenty. Writing a key thus
 * costs a twentieth of a record, at the end of the journal, whatever its channel is. Each key names the chunk with the
 * key that came before it in its channel: along that chain a channel's keys are read when they are needed again.
 */
export class DedupeJournal {
  readonly #store: Store
  /** The chunk that is being filled. Chunks are numbered from 1; none is 0. */
  #chunk = 1
  #bytes = Buffer.allocUnsafeSlow(16 * 1024)
  #length = CHUNK_HEADER_BYTES
  #expiresAt = 0
  #written = 0
  /** When the oldest chunk has expired, as far as is known. */
  #oldestExpiresAt: number | undefined

  constructor(store: Store) {
    this.#store = store
    this.reload()
  }

  /** Forgets what was added since the last transaction that was committed. */
  reload(): void {
    this.#chunk = 1
    for (const key of this.#store.journal.getKeys({
      start: sequenceKey(OFFSET_MAX),
      end: sequenceKey(0),
      reverse: true,
      limit: 1,
    })) {
      this.#chunk = lastNumberOf(key) + 1
    }
    this.#begin()
    this.#written = 0
    this.#oldestExpiresAt = undefined
  }

  /** Adds a key; `before` is the chunk of the channel's previous one, or 0. Returns the chunk that holds this one. */
  add(channel: number, before: number, { dedupe, account, offset, at }: Journalled): number {
    const { key, fingerprint, windowMs } = dedupe
    const owner = account === undefined ? "" : HAS_ACCOUNT + account
    const bytes = RECORD_HEADER_BYTES + textBytesMax(fingerprint) + textBytesMax(key) + textBytesMax(owner)
    if (this.#length > CHUNK_HEADER_BYTES && this.#length + bytes > SHARED_PAGE_BYTES_MAX) this.flush()
    if (this.#bytes.length < this.#length + bytes) this.#bytes = Buffer.allocUnsafeSlow(2 * bytes)
    const target = this.#bytes
    let position = target.writeUIntLE(channel, this.#length, 6)
    position = target.writeUIntLE(before, position, 6)
    position = target.writeUIntLE(offset, position, 6)
    position = target.writeDoubleLE(at, position)
    position = target.writeDoubleLE(windowMs, position)
    position = writeText(target, writeText(target, position, fingerprint), key)
    this.#length = writeText(target, position, owner)
    this.#expiresAt = Math.max(this.#expiresAt, at + windowMs)
    return this.#chunk
  }

  /** Writes the chunk that is being filled. Has to be called before the transaction ends. */
  flush(): void {
    if (this.#length === CHUNK_HEADER_BYTES) return
    this.#bytes.writeDoubleLE(this.#expiresAt, 0)
    this.#store.journal.putSync(sequenceKey(this.#chunk), this.#bytes.subarray(0, this.#length))
    this.#chunk++
    this.#written++
    this.#begin()
  }

  /** Removes expired chunks from the front: a few, in proportion to what was written since the last time. */
  shrink(nowMs: number): void {
    const limit = REMOVED_PER_WRITTEN * this.#written + 1
    this.#written = 0
    if (this.#oldestExpiresAt !== undefined && this.#oldestExpiresAt > nowMs) return
    this.#oldestExpiresAt = undefined
    const expired: Uint8Array[] = []
    for (const { key, value } of this.#store.journal.getRange({
      start: sequenceKey(0),
      end: sequenceKey(OFFSET_MAX),
      limit,
    })) {
      const expiresAt = bufferOf(value).readDoubleLE(0)
      if (expiresAt > nowMs) {
        this.#oldestExpiresAt = expiresAt
        break
      }
      expired.push(key)
    }
    for (const key of expired) this.#store.journal.removeSync(key)
  }

  /** What a chunk holds of one channel, in order, and the chunk before it that holds more, or 0. */
  chunk(chunk: number, channel: number): JournalledChunk | undefined {
    const record = this.#store.journal.get(sequenceKey(chunk))
    if (record === undefined) return undefined
    const { journalled, before } = keysOf(bufferOf(record), channel)
    return { journalled, before: before < chunk ? before : 0 }
  }

  #begin(): void {
    this.#length = CHUNK_HEADER_BYTES
    this.#expiresAt = 0
  }
}

function keysOf(chunk: Buffer, channel: number): JournalledChunk {
  const journalled: Journalled[] = []
  let before: number | undefined
  for (let position = CHUNK_HEADER_BYTES; position < chunk.length; ) {
    const fingerprint = readText(chunk, position + RECORD_HEADER_BYTES)
    const key = readText(chunk, fingerprint.end)
    const account = readText(chunk, key.end)
    if (chunk.readUIntLE(position, 6) === channel) {
      before ??= chunk.readUIntLE(position + 6, 6)
      const windowMs = chunk.readDoubleLE(position + 26)
      journalled.push({
        dedupe: { key: key.text, fingerprint: fingerprint.text, windowMs },
        account: account.text === "" ? undefined : account.text.slice(HAS_ACCOUNT.length),
        offset: chunk.readUIntLE(position + 12, 6),
        at: chunk.readDoubleLE(position + 18),
      })
    }
    position = account.end
  }
  return { journalled, before: before ?? 0 }
}
