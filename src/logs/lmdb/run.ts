import { CHECKSUM_BYTES } from "./record.ts"

/**
 * A run is a sealed record that holds several items, each behind its offset and its length, and stands under the offset of
 * the first: what LMDB does per record is most of what an append costs.
 */
export const ITEM_HEADER_BYTES = 6 + 4

/** Writes what stands before an item that takes the bytes from `start` to `end`. */
export function writeItemHeader(target: Buffer, start: number, end: number, offset: number): void {
  target.writeUIntLE(offset, start - ITEM_HEADER_BYTES, 6)
  target.writeUInt32LE(end - start, start - 4)
}

/** @throws RangeError when the items do not fill the record */
export function itemsOf<Item>(
  record: Buffer,
  read: (offset: number, source: Buffer, start: number, end: number) => Item,
): Item[] {
  const items: Item[] = []
  for (let position = CHECKSUM_BYTES; position < record.length; ) {
    const start = position + ITEM_HEADER_BYTES
    const end = start + record.readUInt32LE(position + 6)
    if (end > record.length) throw new RangeError("an entry reaches beyond its record")
    items.push(read(record.readUIntLE(position, 6), record, start, end))
    position = end
  }
  return items
}
