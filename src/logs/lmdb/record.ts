import type { Draft, Entry, EntryKind } from "../../hub/log.ts"
import { readText, textBytesMax, writeText } from "./text.ts"

const KINDS: readonly EntryKind[] = ["event", "set", "delete", "join", "left"]

/** Records are put together here and copied by LMDB at once. It grows to the largest record there was. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024)

function space(bytes: number): Buffer {
  if (scratch.length < bytes) scratch = Buffer.allocUnsafeSlow(2 * bytes)
  return scratch
}

/** An entry without its offset, which is in its key. Valid until the next record is encoded. */
export function encodeEntry({ kind, name, key, body, at }: Draft): Buffer {
  const target = space(9 + textBytesMax(name) + textBytesMax(key) + body.length)
  target[0] = KINDS.indexOf(kind)
  target.writeDoubleLE(at, 1)
  const end = writeText(target, writeText(target, 9, name), key)
  target.set(body, end)
  return target.subarray(0, end + body.length)
}

/** The body of the entry is a part of `record`, not a copy. */
export function decodeEntry(offset: number, record: Uint8Array): Entry {
  const source = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  const kind = KINDS[source.readUInt8(0)]
  if (kind === undefined) throw new RangeError(`entry ${offset} is of no kind`)
  const name = readText(source, 9)
  const key = readText(source, name.end)
  return {
    offset,
    kind,
    name: name.text,
    key: key.text,
    body: record.subarray(key.end),
    at: source.readDoubleLE(1),
  }
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
  const source = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
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
  const source = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  const head = emptyHead()
  for (const [index, field] of FIELDS.entries()) head[field] = source.readDoubleLE(8 * index)
  return head
}
