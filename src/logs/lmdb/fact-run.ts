import type { Entry } from "../../log/entry.ts"
import { CHECKSUM_BYTES, sealed, space, unsealed } from "./record.ts"
import { endOfText, readText, textBytesMax, writeText } from "./text.ts"

/**
 * The facts of a collection that are appended in one transaction stand in one record, a run, each behind its offset and its
 * length: what LMDB does per record is most of what an append costs. It stands under the offset of the first, is not changed
 * any more once it is written, and is deleted when all its facts are trimmed.
 */
const HEADER_BYTES = 6 + 4

/** What trimming has to know of a fact: less than the whole, and it is needed once per append. */
export interface Weight {
  readonly offset: number
  readonly at: number
  /** Bytes of its body. */
  readonly bytes: number
}

/** The most bytes that a fact takes in a run. */
export function factBytesMax({ key, body }: Entry): number {
  return HEADER_BYTES + 8 + textBytesMax(key) + body.length
}

/** Valid until the next record is encoded. */
export function encodeFacts(facts: readonly Entry[]): Buffer {
  const target = space(facts.reduce((sum, fact) => sum + factBytesMax(fact), CHECKSUM_BYTES))
  let position = CHECKSUM_BYTES
  for (const { offset, at, key, body } of facts) {
    const start = position + HEADER_BYTES
    target.writeDoubleLE(at, start)
    const bodyStart = writeText(target, start + 8, key)
    target.set(body, bodyStart)
    position = bodyStart + body.length
    target.writeUIntLE(offset, start - HEADER_BYTES, 6)
    target.writeUInt32LE(position - start, start - 4)
  }
  return sealed(facts[0]?.offset ?? 0, target.subarray(0, position))
}

/**
 * The bodies of the facts are parts of `record`, not copies.
 * @throws RangeError when the record is not what was written
 */
export function decodeFacts(collection: string, first: number, record: Uint8Array): Entry[] {
  return itemsOf(unsealed(first, record), (offset, source, start, end) => {
    const key = readText(source, start + 8)
    const body = source.subarray(key.end, end)
    const at = source.readDoubleLE(start)
    const operation = "append"
    return { offset, operation, collection, key: key.text, body, at, created: offset, version: 0, holder: "" }
  })
}

/** The same without a check, for facts that are read to be trimmed. */
export function weighFacts(record: Buffer): Weight[] {
  return itemsOf(record, (offset, source, start, end) => ({
    offset,
    at: source.readDoubleLE(start),
    bytes: end - endOfText(source, start + 8),
  }))
}

function itemsOf<Item>(
  record: Buffer,
  read: (offset: number, source: Buffer, start: number, end: number) => Item,
): Item[] {
  const items: Item[] = []
  for (let position = CHECKSUM_BYTES; position < record.length; ) {
    const start = position + HEADER_BYTES
    const end = start + record.readUInt32LE(position + 6)
    if (end > record.length) throw new RangeError("a fact reaches beyond its record")
    items.push(read(record.readUIntLE(position, 6), record, start, end))
    position = end
  }
  return items
}
