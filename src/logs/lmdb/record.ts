import { crc32 } from "node:zlib"
import type { Entry, EntryKind } from "../../hub/log.ts"
import { endOfText, readText, textBytesMax, writeText } from "./text.ts"

const KINDS: readonly EntryKind[] = ["event", "set", "delete", "join", "left"]

const CHECKSUM_BYTES = 4
const AT_START = CHECKSUM_BYTES + 1
const TEXTS_START = AT_START + 8

/** Records are put together here and copied by LMDB at once. It grows to the largest record there was. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024)

function space(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(2 * bytes)
  return scratch
}

/**
 * An entry without its offset, which is in its key: a checksum over both, kind, time, name, key and body. Valid until the
 * next record is encoded.
 */
export function encodeEntry({ offset, kind, name, key, body, at }: Entry): Buffer {
  const target = space(TEXTS_START + textBytesMax(name) + textBytesMax(key) + body.length)
  target[CHECKSUM_BYTES] = KINDS.indexOf(kind)
  target.writeDoubleLE(at, AT_START)
  const end = writeText(target, writeText(target, TEXTS_START, name), key)
  target.set(body, end)
  const record = target.subarray(0, end + body.length)
  record.writeUInt32LE(checksum(offset, record), 0)
  return record
}

/**
 * The body of the entry is a part of `record`, not a copy.
 * @throws RangeError when the record is not what was written
 */
export function decodeEntry(offset: number, record: Uint8Array): Entry {
  const source = bufferOf(record)
  const kind = KINDS[source.readUInt8(CHECKSUM_BYTES)]
  if (kind === undefined || source.readUInt32LE(0) !== checksum(offset, source)) {
    throw new RangeError(`the entry ${offset} is not what was written`)
  }
  const name = readText(source, TEXTS_START)
  const key = readText(source, name.end)
  return {
    offset,
    kind,
    name: name.text,
    key: key.text,
    body: record.subarray(key.end),
    at: source.readDoubleLE(AT_START),
  }
}

function checksum(offset: number, record: Buffer): number {
  return crc32(record.subarray(CHECKSUM_BYTES), offset % 0x100000000)
}

/** What trimming has to know of an entry: less than the whole, and it is asked for once per append. */
export interface Weight {
  readonly offset: number
  readonly at: number
  /** Bytes of payload. */
  readonly bytes: number
}

export function decodeWeight(offset: number, record: Uint8Array): Weight {
  const source = bufferOf(record)
  const end = endOfText(source, endOfText(source, TEXTS_START))
  return { offset, at: source.readDoubleLE(AT_START), bytes: source.length - end }
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
  /** Events that were trimmed and are still in the file. */
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
