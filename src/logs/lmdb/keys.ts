import { createHash } from "node:crypto"
import type { Draft } from "../../log/log.ts"
import { textBytesMax, writeText } from "./text.ts"

/**
 * The parts of a channel, in the order in which they stand in the file. The head follows the events, so that an append
 * changes two records that lie in one page: what costs in this file are the pages that a transaction touches.
 */
export const PART = { index: 0, values: 1, tombstones: 2, events: 3, head: 4 } as const

/** A part that holds the entries of keys, each by its offset. */
export type KeyedPart = typeof PART.values | typeof PART.tombstones

/** A part that holds entries by offset; events by that of the first in their run, see event-run.ts. */
export type EntryPart = KeyedPart | typeof PART.events

const ENTRY_KEY_BYTES = 11
/** LMDB takes keys of up to 1,978 bytes; a longer identity is replaced by its digest, so that any text may be a key. */
const IDENTITY_BYTES_MAX = 400
const DIGESTED = 0xff

/** The key of an entry: channel, part, and the offset in 48 bits, big-endian so that keys sort by offset. */
export function entryKey(id: number, part: EntryPart, offset: number): Buffer {
  const target = Buffer.allocUnsafe(ENTRY_KEY_BYTES)
  target.writeUInt32BE(id, 0)
  target[4] = part
  target.writeUIntBE(offset, 5, 6)
  return target
}

/** The greatest offset that a key can hold. */
export const OFFSET_MAX = 2 ** 48 - 1

export function offsetOfKey(key: Uint8Array): number {
  return readUint48(key, 5)
}

export function headKey(id: number): Buffer {
  const key = Buffer.allocUnsafe(5)
  key.writeUInt32BE(id, 0)
  key[4] = PART.head
  return key
}

/** The key under which a channel's index holds the latest entry of a (facet, name, key). */
export function indexKey(id: number, draft: Draft): Buffer {
  const identity = identityOf(draft)
  const key = Buffer.allocUnsafe(5 + identity.length)
  key.writeUInt32BE(id, 0)
  key[4] = PART.index
  identity.copy(key, 5)
  return key
}

/** The key under which a channel's number is found. */
export function nameKey(name: string): Buffer {
  const key = Buffer.allocUnsafe(textBytesMax(name))
  return shortened(key.subarray(0, writeText(key, 0, name)))
}

/** A number as a key that sorts like it. */
export function sequenceKey(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(6)
  key.writeUIntBE(sequence, 0, 6)
  return key
}

export function sequenceOfKey(key: Uint8Array): number {
  return readUint48(key, 0)
}

/** Big-endian. What `Buffer.readUIntBE` does, without making a Buffer for each key of a scan. */
function readUint48(bytes: Uint8Array, start: number): number {
  let value = 0
  for (let index = start; index < start + 6; index++) value = value * 256 + (bytes[index] ?? 0)
  return value
}

function identityOf({ kind, name, key }: Draft): Buffer {
  const identity = Buffer.allocUnsafe(1 + textBytesMax(name) + textBytesMax(key))
  identity[0] = kind === "join" || kind === "left" ? 1 : 0
  return shortened(identity.subarray(0, writeText(identity, writeText(identity, 1, name), key)))
}

function shortened(key: Buffer): Buffer {
  if (key.length <= IDENTITY_BYTES_MAX) return key
  return Buffer.concat([Buffer.of(DIGESTED), createHash("sha256").update(key).digest()])
}
