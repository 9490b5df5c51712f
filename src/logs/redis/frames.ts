import type { Batch, Draft, Entry, EntryKind } from "../../log/log.ts"
import { decodeText, encodeText } from "./text.ts"

const KINDS: readonly EntryKind[] = ["event", "set", "delete", "join", "left"]

/** Where a record's identity begins: kind (1 byte), time (8), the identity's length (4). The scripts know these numbers. */
const IDENTITY = 13

/**
 * A record is an entry without its offset: kind, time, identity, body. The identity is the name's length, the name and
 * the key. Numbers are big-endian.
 */
export function encodeRecord({ kind, name, key, body, at }: Draft): Buffer {
  const [nameBytes, keyBytes] = [encodeText(name), encodeText(key)]
  const identityBytes = 4 + nameBytes.length + keyBytes.length
  const record = Buffer.allocUnsafe(IDENTITY + identityBytes + body.length)
  record[0] = KINDS.indexOf(kind)
  record.writeDoubleBE(at, 1)
  record.writeUInt32BE(identityBytes, 9)
  record.writeUInt32BE(nameBytes.length, IDENTITY)
  nameBytes.copy(record, IDENTITY + 4)
  keyBytes.copy(record, IDENTITY + 4 + nameBytes.length)
  record.set(body, IDENTITY + identityBytes)
  return record
}

/** Entries one after another: offset (8 bytes), the record's length (4), the record. Bodies are parts of `bytes`. */
export function decodeEntries(bytes: Buffer, start = 0): Entry[] {
  const entries: Entry[] = []
  let position = start
  while (position < bytes.length) {
    const end = position + 12 + bytes.readUInt32BE(position + 8)
    entries.push(decodeEntry(bytes.readDoubleBE(position), bytes.subarray(position + 12, end)))
    position = end
  }
  return entries
}

function decodeEntry(offset: number, record: Buffer): Entry {
  const kind = KINDS[record.readUInt8(0)]
  if (kind === undefined) throw new RangeError(`entry ${offset} is of no kind`)
  const nameEnd = IDENTITY + 4 + record.readUInt32BE(IDENTITY)
  const keyEnd = IDENTITY + record.readUInt32BE(9)
  return {
    offset,
    kind,
    name: decodeText(record.subarray(IDENTITY + 4, nameEnd)),
    key: decodeText(record.subarray(nameEnd, keyEnd)),
    body: record.subarray(keyEnd),
    at: record.readDoubleBE(1),
  }
}

/** What the script tells of appends: the generation (8 bytes), `after` (8), the epoch's length (1), the epoch, entries. */
export interface Told extends Batch {
  readonly generation: number
}

export function decodeTold(message: Buffer): Told {
  const epochEnd = 17 + message.readUInt8(16)
  return {
    generation: message.readDoubleBE(0),
    after: message.readDoubleBE(8),
    epoch: message.toString("latin1", 17, epochEnd),
    entries: decodeEntries(message, epochEnd),
  }
}
