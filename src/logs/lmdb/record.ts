import { crc32 } from "node:zlib"

/** A sealed record begins with a checksum over the rest of it and the offset in its key. */
export const CHECKSUM_BYTES = 4

/** A record up to this size shares a page with others; a larger one takes pages of its own. */
export const SHARED_PAGE_BYTES_MAX = 1_900

/** Records are put together here and copied by LMDB at once. It grows to the largest record there was. */
let scratch = Buffer.allocUnsafeSlow(64 * 1024)
let numbers = new Float64Array(scratch.buffer)

/** Room for a record, valid until the next one is encoded. */
export function space(bytes: number): Buffer {
  if (scratch.length < bytes) {
    scratch = Buffer.allocUnsafeSlow(2 * 8 * Math.ceil(bytes / 8))
    numbers = new Float64Array(scratch.buffer)
  }
  return scratch
}

/** The same room as numbers: to set them here takes a tenth of the time. */
export function numbersIn(bytes: number): Float64Array {
  space(bytes)
  return numbers
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

/** The bytes of a record as a Buffer, which they mostly are already. */
export function bufferOf(record: Uint8Array): Buffer {
  return record instanceof Buffer ? record : Buffer.from(record.buffer, record.byteOffset, record.byteLength)
}

function checksum(offset: number, record: Buffer): number {
  return crc32(record.subarray(CHECKSUM_BYTES), offset % 0x100000000)
}
