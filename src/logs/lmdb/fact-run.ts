import type { Entry } from "../../log/entry.ts"
import { CHECKSUM_BYTES, sealed, space, unsealed } from "./record.ts"
import { ITEM_HEADER_BYTES, itemsOf, writeItemHeader } from "./run.ts"
import { endOfText, readText, textBytesMax, writeText } from "./text.ts"

/**
 * The facts of a collection that are appended in one transaction stand in one run, which is not changed any more once it is
 * written, and is deleted when all its facts are trimmed.
 */

/** What trimming has to know of a fact: less than the whole, and it is needed once per append. */
export interface Weight {
  readonly offset: number
  readonly at: number
  /** Bytes of its body. */
  readonly bytes: number
}

/** The most bytes that a fact takes in a run. */
export function factBytesMax({ key, body }: Entry): number {
  return ITEM_HEADER_BYTES + 8 + textBytesMax(key) + body.length
}

/** Valid until the next record is encoded. */
export function encodeFacts(facts: readonly Entry[]): Buffer {
  const target = space(facts.reduce((sum, fact) => sum + factBytesMax(fact), CHECKSUM_BYTES))
  let position = CHECKSUM_BYTES
  for (const { offset, at, key, body } of facts) {
    const start = position + ITEM_HEADER_BYTES
    target.writeDoubleLE(at, start)
    const bodyStart = writeText(target, start + 8, key)
    target.set(body, bodyStart)
    position = bodyStart + body.length
    writeItemHeader(target, start, position, offset)
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
