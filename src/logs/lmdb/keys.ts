import { createHash } from "node:crypto"
import { textBytesMax, writeText } from "./text.ts"

/**
 * The parts of a channel, in the order in which they stand in the file. The head follows the facts, so that an append
 * changes two records that lie in one page: what costs in this file are the pages that a transaction touches.
 *
 * - `index`: by a key of a collection, where its value or its removal stands
 * - `accounts`: by the name of an account, how many keys it has in a collection
 * - `values`: by the offset at which a key was created, its state, and then its pieces by their offsets
 * - `order`: by the latest offset of a value, what changed there, see `Step`
 * - `steps`: of values that were extended the same for the changes before the latest, from the last put on
 * - `removals`: by offset
 * - `facts`: by the offset of the first in their run, see fact-run.ts
 */
export const PART = {
  index: 0,
  accounts: 1,
  values: 2,
  order: 3,
  steps: 4,
  removals: 5,
  facts: 6,
  head: 7,
} as const

/** A part whose records stand under an offset. */
export type OffsetPart = typeof PART.order | typeof PART.steps | typeof PART.removals | typeof PART.facts

/** Where a collection stands: in which channel, and as which of its collections. */
export interface Place {
  readonly channel: number
  readonly collection: number
}

/** Numbers in keys take 48 bits, big-endian, so that keys sort by them. */
export const OFFSET_BYTES = 6
export const OFFSET_MAX = 2 ** 48 - 1
const PREFIX_BYTES = OFFSET_BYTES + 1 + 2
/** LMDB takes keys of up to 1,978 bytes; a longer name is replaced by its digest, so that any text may be a key. */
const NAME_BYTES_MAX = 400
const DIGESTED = 0xff

export function offsetKey(place: Place, part: OffsetPart, offset: number): Buffer {
  const key = prefixed(place, part, OFFSET_BYTES)
  key.writeUIntBE(offset, PREFIX_BYTES, OFFSET_BYTES)
  return key
}

/** The key of a value's state (`piece` 0), or of the pieces that begin with one. */
export function valueKey(place: Place, created: number, piece: number): Buffer {
  const key = prefixed(place, PART.values, 2 * OFFSET_BYTES)
  key.writeUIntBE(created, PREFIX_BYTES, OFFSET_BYTES)
  key.writeUIntBE(piece, PREFIX_BYTES + OFFSET_BYTES, OFFSET_BYTES)
  return key
}

export function namedKey(place: Place, part: typeof PART.index | typeof PART.accounts, name: string): Buffer {
  const text = nameKey(name)
  const key = prefixed(place, part, text.length)
  text.copy(key, PREFIX_BYTES)
  return key
}

export function headKey(channel: number): Buffer {
  return prefixed({ channel, collection: 0 }, PART.head, 0)
}

/** The key of anything that is found by a name. */
export function nameKey(name: string): Buffer {
  const key = Buffer.allocUnsafe(textBytesMax(name))
  const text = key.subarray(0, writeText(key, 0, name))
  if (text.length <= NAME_BYTES_MAX) return text
  return Buffer.concat([Buffer.of(DIGESTED), createHash("sha256").update(text).digest()])
}

/** A number as a key that sorts like it. */
export function sequenceKey(sequence: number): Buffer {
  const key = Buffer.allocUnsafe(OFFSET_BYTES)
  key.writeUIntBE(sequence, 0, OFFSET_BYTES)
  return key
}

/** The number that a key ends with. What `Buffer.readUIntBE` does, without making a Buffer for each key of a scan. */
export function lastNumberOf(key: Uint8Array): number {
  let value = 0
  for (let index = key.length - OFFSET_BYTES; index < key.length; index++)
    value = value * 256 + (key[index] ?? 0)
  return value
}

/** The offset of creation in the key of a value's state or pieces. */
export function createdOf(key: Uint8Array): number {
  return lastNumberOf(key.subarray(0, PREFIX_BYTES + OFFSET_BYTES))
}

function prefixed({ channel, collection }: Place, part: number, bytes: number): Buffer {
  const key = Buffer.allocUnsafe(PREFIX_BYTES + bytes)
  key.writeUIntBE(channel, 0, OFFSET_BYTES)
  key[OFFSET_BYTES] = part
  key.writeUInt16BE(collection, OFFSET_BYTES + 1)
  return key
}
