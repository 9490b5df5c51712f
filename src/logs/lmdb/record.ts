import { crc32 } from "node:zlib"
import type { Draft, Entry, EntryKind } from "../../log/log.ts"
import { endOfText, readText, textBytesMax, writeText } from "./text.ts"

const KINDS: readonly EntryKind[] = ["event", "set", "delete", "join", "left"]

/** A record begins with a checksum over the rest of it and the offset in its key. */
export const CHECKSUM_BYTES = 4
const TEXTS_START = 1 + 8

/** Records are put together here and copied by LMDB at once. It grows to the largest record there was. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024)

/** Room for a record, valid until the next one is encoded. */
export function space(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(2 * bytes)
  return scratch
}

/** A state's or a member's entry without its offset, which is in its key. Valid until the next record is encoded. */
export function encodeEntry(entry: Entry): Buffer {
  const target = space(CHECKSUM_BYTES + draftBytesMax(entry))
  return sealed(entry.offset, target.subarray(0, writeDraft(target, CHECKSUM_BYTES, entry)))
}

/**
 * The body of the entry is a part of `record`, not a copy.
 * @throws RangeError when the record is not what was written
 */
export function decodeEntry(offset: number, record: Uint8Array): Entry {
  const source = unsealed(offset, record)
  return readDraft(offset, source, CHECKSUM_BYTES, source.length)
}

/** The most bytes that `writeDraft` takes. */
export function draftBytesMax({ name, key, body }: Draft): number {
  return TEXTS_START + textBytesMax(name) + textBytesMax(key) + body.length
}

/** Writes kind, time, name, key and body. Returns where they end. */
export function writeDraft(target: Buffer, start: number, { kind, name, key, body, at }: Draft): number {
  target[start] = KINDS.indexOf(kind)
  target.writeDoubleLE(at, start + 1)
  const end = writeText(target, writeText(target, start + TEXTS_START, name), key)
  target.set(body, end)
  return end + body.length
}

/** What `writeDraft` wrote, with the offset that belongs to it. */
export function readDraft(offset: number, source: Buffer, start: number, end: number): Entry {
  const kind = KINDS[source.readUInt8(start)]
  if (kind === undefined) throw new RangeError(`the entry ${offset} is of no kind`)
  const name = readText(source, start + TEXTS_START)
  const key = readText(source, name.end)
  const body = source.subarray(key.end, end)
  return { offset, kind, name: name.text, key: key.text, body, at: source.readDoubleLE(start + 1) }
}

/** What trimming has to know of an entry: less than the whole, and it is asked for once per append. */
export interface Weight {
  readonly offset: number
  readonly at: number
  /** Bytes of payload. */
  readonly bytes: number
}

/** The weight of what `writeDraft` wrote. */
export function weighDraft(offset: number, source: Buffer, start: number, end: number): Weight {
  const bodyStart = endOfText(source, endOfText(source, start + TEXTS_START))
  return { offset, at: source.readDoubleLE(start + 1), bytes: end - bodyStart }
}

/** Puts the checksum into a record. */
export function sealed(offset: number, record: Buffer): Buffer {
  record.writeUInt32LE(checksum(offset, record), 0)
  return record
}

/** @throws RangeError when the record is not what was sealed */
export function unsealed(offset: number, record: Uint8Array): Buffer {
  const source = bufferOf(record)
  if (source.readUInt32LE(0) === checksum(offset, source)) return source
  throw new RangeError(`the entry ${offset} is not what was written`)
}

function checksum(offset: number, record: Buffer): number {
  return crc32(record.subarray(CHECKSUM_BYTES), offset % 0x100000000)
}

/** The bytes of a record as a Buffer, which they mostly are already. */
export function bufferOf(record: Uint8Array): Buffer {
  return record instanceof Buffer ? record : Buffer.from(record.buffer, record.byteOffset, record.byteLength)
}

/** What the index holds of a key's latest entry. */
export interface Latest {
  readonly offset: number
  readonly isTombstone: boolean
}

export function encodeLatest({ offset, isTombstone }: Latest): Buffer {
  const target = space(7)
  target.writeUIntLE(offset, 0, 6)
  target[6] = isTombstone ? 1 : 0
  return target.subarray(0, 7)
}

export function decodeLatest(record: Uint8Array): Latest {
  const source = bufferOf(record)
  return { offset: source.readUIntLE(0, 6), isTombstone: source[6] === 1 }
}

/** What is known of a channel without reading its entries. */
export interface ChannelHead {
  top: number
  /** The greatest offset of an event that was trimmed. */
  eventFloor: number
  /** The greatest offset of a tombstone that was dropped. */
  tombstoneFloor: number
  /** How many there are, and how many bytes of payload the events have. */
  events: number
  eventBytes: number
  values: number
  tombstones: number
  /** Events that were trimmed since some were deleted from the file. 0 only when none is left in it. */
  trimmed: number
  /** The journal's chunk with the newest idempotency key of this channel, and when the last of its keys expires. */
  dedupeChunk: number
  dedupeUntil: number
}

const FIELDS = [
  "top",
  "eventFloor",
  "tombstoneFloor",
  "events",
  "eventBytes",
  "values",
  "tombstones",
  "trimmed",
  "dedupeChunk",
  "dedupeUntil",
] as const satisfies readonly (keyof ChannelHead)[]

export function emptyHead(): ChannelHead {
  return {
    top: 0,
    eventFloor: 0,
    tombstoneFloor: 0,
    events: 0,
    eventBytes: 0,
    values: 0,
    tombstones: 0,
    trimmed: 0,
    dedupeChunk: 0,
    dedupeUntil: 0,
  }
}

export function encodeHead(head: ChannelHead): Buffer {
  const target = space(8 * FIELDS.length)
  for (const [index, field] of FIELDS.entries()) target.writeDoubleLE(head[field], 8 * index)
  return target.subarray(0, 8 * FIELDS.length)
}

export function decodeHead(record: Uint8Array): ChannelHead {
  const source = bufferOf(record)
  const head = emptyHead()
  for (const [index, field] of FIELDS.entries()) head[field] = source.readDoubleLE(8 * index)
  return head
}
