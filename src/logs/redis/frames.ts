import type { Entry, EntryOperation } from "../../log/entry.ts"
import type { Batch } from "../../log/log.ts"
import { decodeText } from "./text.ts"

const OPERATIONS: readonly EntryOperation[] = ["append", "put", "extend", "remove"]

/** The names of a channel's collections by their numbers. */
export type CollectionNames = ReadonlyMap<number, string>

/**
 * Entries one after another, as channel.lua encodes them. Numbers are big-endian. Bodies are parts of `bytes`.
 */
export function decodeEntries(bytes: Buffer, names: CollectionNames, start = 0): Entry[] {
  const entries: Entry[] = []
  let position = start
  while (position < bytes.length) {
    const end = position + 12 + bytes.readUInt32BE(position + 8)
    entries.push(decodeEntry(bytes.readDoubleBE(position), bytes.subarray(position + 12, end), names))
    position = end
  }
  return entries
}

function decodeEntry(offset: number, rest: Buffer, names: CollectionNames): Entry {
  const operation = OPERATIONS[rest.readUInt8(0)]
  const collection = names.get(rest.readUInt8(1))
  if (operation === undefined || collection === undefined)
    throw new RangeError(`entry ${offset} has no operation or collection`)
  const at = rest.readDoubleBE(2)
  if (operation === "append") {
    const { key, body } = decodeKeyAndBody(rest, 10)
    return { offset, operation, collection, key, body, at, created: offset, version: 0, holder: "" }
  }
  const holderEnd = 28 + rest.readUInt16BE(26)
  const { key, body } = decodeKeyAndBody(rest, holderEnd)
  const [created, version] = [rest.readDoubleBE(10), rest.readDoubleBE(18)]
  const holder = decodeText(rest.subarray(28, holderEnd))
  return { offset, operation, collection, key, body, at, created, version, holder }
}

function decodeKeyAndBody(bytes: Buffer, start: number): { key: string; body: Buffer } {
  const keyEnd = start + 4 + bytes.readUInt32BE(start)
  return { key: decodeText(bytes.subarray(start + 4, keyEnd)), body: bytes.subarray(keyEnd) }
}

/** A channel's collections as the read script answers them: number (1 byte), floor (8), the name with its length (2). */
export function decodeCollections(
  bytes: Buffer,
  base: number,
): { readonly names: CollectionNames; readonly floors: Readonly<Record<string, number>> } {
  const names = new Map<number, string>()
  const floors: Record<string, number> = Object.create(null)
  for (let position = 0; position < bytes.length; ) {
    const end = position + 11 + bytes.readUInt16BE(position + 9)
    const name = decodeText(bytes.subarray(position + 11, end))
    const floor = bytes.readDoubleBE(position + 1)
    names.set(bytes.readUInt8(position), name)
    if (floor > base) floors[name] = floor
    position = end
  }
  return { names, floors: { ...floors } }
}

/**
 * What the write script tells: the generation (8 bytes), `after` (8), the epoch with its length (1), how many collections (1), of
 * each its number (1) and its name with its length (2), then entries.
 */
export interface Told extends Batch {
  readonly generation: number
}

export function decodeTold(message: Buffer): Told {
  const epochEnd = 17 + message.readUInt8(16)
  const names = new Map<number, string>()
  let position = epochEnd + 1
  for (let count = message.readUInt8(epochEnd); count > 0; count--) {
    const end = position + 3 + message.readUInt16BE(position + 1)
    names.set(message.readUInt8(position), decodeText(message.subarray(position + 3, end)))
    position = end
  }
  return {
    generation: message.readDoubleBE(0),
    after: message.readDoubleBE(8),
    epoch: message.toString("latin1", 17, epochEnd),
    entries: decodeEntries(message, names, position),
  }
}
