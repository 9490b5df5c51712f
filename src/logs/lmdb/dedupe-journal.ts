import type { Dedupe } from "../../log/log.ts"
import { sequenceKey, sequenceOfKey } from "./keys.ts"
import { bufferOf } from "./record.ts"
import type { Store } from "./store.ts"
import { readText, textBytesMax, writeText } from "./text.ts"

/** An idempotency key as it is journalled. */
export interface Journalled {
  readonly key: string
  readonly fingerprint: string
  readonly offset: number
  readonly expiresAt: number
}

/** A chunk of up to this size lies in a page with others; a larger one would take pages of its own. */
const CHUNK_BYTES_MAX = 1_900
const CHUNK_HEADER_BYTES = 8
const RECORD_HEADER_BYTES = 4 + 6 + 6 + 8

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
      start: sequenceKey(2 ** 48 - 1),
      end: sequenceKey(0),
      reverse: true,
      limit: 1,
    })) {
      this.#chunk = sequenceOfKey(key) + 1
    }
    this.#begin()
    this.#written = 0
    this.#oldestExpiresAt = undefined
  }

  /** Adds a key; `before` is the chunk of the channel's previous one, or 0. Returns the chunk that holds this one. */
  add(channelId: number, before: number, { key, fingerprint, offset, expiresAt }: Journalled): number {
    const bytes = RECORD_HEADER_BYTES + textBytesMax(fingerprint) + textBytesMax(key)
    if (this.#length > CHUNK_HEADER_BYTES && this.#length + bytes > CHUNK_BYTES_MAX) this.flush()
    if (this.#bytes.length < this.#length + bytes) this.#bytes = Buffer.allocUnsafeSlow(2 * bytes)
    const [target, start] = [this.#bytes, this.#length]
    target.writeUInt32LE(channelId, start)
    target.writeUIntLE(before, start + 4, 6)
    target.writeUIntLE(offset, start + 10, 6)
    target.writeDoubleLE(expiresAt, start + 16)
    this.#length = writeText(target, writeText(target, start + RECORD_HEADER_BYTES, fingerprint), key)
    this.#expiresAt = Math.max(this.#expiresAt, expiresAt)
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
      end: sequenceKey(2 ** 48 - 1),
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

  /** A channel's keys, oldest first, of which `chunk` holds the newest: at most `countMax`, without those that have expired. */
  load(channelId: number, chunk: number, nowMs: number, countMax: number): Journalled[] {
    const found: Journalled[] = []
    for (let next = chunk; next > 0 && found.length < countMax; ) {
      const record = this.#store.journal.get(sequenceKey(next))
      if (record === undefined) break
      const keys = keysOf(bufferOf(record), channelId)
      found.push(...keys.journalled.filter(({ expiresAt }) => expiresAt > nowMs).reverse())
      next = keys.before < next ? keys.before : 0
    }
    return found.slice(0, countMax).reverse()
  }

  #begin(): void {
    this.#length = CHUNK_HEADER_BYTES
    this.#expiresAt = 0
  }
}

/** What a chunk holds of one channel, in order, and the chunk before it that holds more. */
function keysOf(
  chunk: Buffer,
  channelId: number,
): { readonly journalled: Journalled[]; readonly before: number } {
  const journalled: Journalled[] = []
  let before: number | undefined
  let position = CHUNK_HEADER_BYTES
  while (position < chunk.length) {
    const fingerprint = readText(chunk, position + RECORD_HEADER_BYTES)
    const key = readText(chunk, fingerprint.end)
    if (chunk.readUInt32LE(position) === channelId) {
      before ??= chunk.readUIntLE(position + 4, 6)
      journalled.push({
        key: key.text,
        fingerprint: fingerprint.text,
        offset: chunk.readUIntLE(position + 10, 6),
        expiresAt: chunk.readDoubleLE(position + 16),
      })
    }
    position = key.end
  }
  return { journalled, before: before ?? 0 }
}

/** What a draft asks to be remembered. */
export function journalled(dedupe: Dedupe, offset: number, nowMs: number): Journalled {
  return { key: dedupe.key, fingerprint: dedupe.fingerprint, offset, expiresAt: nowMs + dedupe.windowMs }
}
