import type { Entry } from "../../log/log.ts"
import {
  CHECKSUM_BYTES,
  draftBytesMax,
  readDraft,
  sealed,
  space,
  unsealed,
  type Weight,
  weighDraft,
  writeDraft,
} from "./record.ts"

/**
 * Events of a channel that are appended in one transaction stand in one record, a run, under the offset of the first:
 * what LMDB does per record is most of what an append costs. A run is not changed any more once it is written; it is
 * deleted when all its events are trimmed.
 */

/** A record up to this size shares a page with others; a larger one takes pages of its own. */
export const RUN_BYTES_MAX = 1_900
const ITEM_HEADER_BYTES = 6 + 4

/** The most bytes that an event takes in a run. */
export function runBytesMax(event: Entry): number {
  return ITEM_HEADER_BYTES + draftBytesMax(event)
}

/** Valid until the next record is encoded. */
export function encodeRun(events: readonly Entry[]): Buffer {
  const target = space(events.reduce((sum, event) => sum + runBytesMax(event), CHECKSUM_BYTES))
  let position = CHECKSUM_BYTES
  for (const event of events) {
    const start = position + ITEM_HEADER_BYTES
    const end = writeDraft(target, start, event)
    target.writeUIntLE(event.offset, position, 6)
    target.writeUInt32LE(end - start, position + 6)
    position = end
  }
  return sealed(events[0]?.offset ?? 0, target.subarray(0, position))
}

/**
 * The bodies of the events are parts of `record`, not copies.
 * @throws RangeError when the record is not what was written
 */
export function decodeRun(first: number, record: Uint8Array): Entry[] {
  return itemsOf(unsealed(first, record), readDraft)
}

/** The same without a check, for events that are read to be trimmed. */
export function weighRun(record: Buffer): Weight[] {
  return itemsOf(record, weighDraft)
}

function itemsOf<Item>(
  record: Buffer,
  read: (offset: number, source: Buffer, start: number, end: number) => Item,
): Item[] {
  const items: Item[] = []
  for (let position = CHECKSUM_BYTES; position < record.length; ) {
    const start = position + ITEM_HEADER_BYTES
    const end = start + record.readUInt32LE(position + 6)
    if (end > record.length) throw new RangeError("an event reaches beyond its record")
    items.push(read(record.readUIntLE(position, 6), record, start, end))
    position = end
  }
  return items
}
