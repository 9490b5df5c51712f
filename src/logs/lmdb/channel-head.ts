import type { Retention } from "../../log/operation.ts"
import { bufferOf, numbersIn, space } from "./record.ts"
import { readText, textBytesMax, writeText } from "./text.ts"

/** What is known of a channel without reading its entries. */
export interface ChannelHead {
  readonly base: number
  top: number
  /** The journal's chunk with the newest idempotency key of this channel, and when the last of its keys expires. */
  dedupeChunk: number
  dedupeUntil: number
  /** By name, in the order of their numbers. */
  readonly collections: Map<string, CollectionHead>
}

export interface CollectionHead {
  readonly name: string
  /** What it is called in keys. */
  readonly number: number
  /** 1: keys, 0: facts. */
  readonly keyed: number
  /** The greatest offset that was lost. */
  floor: number
  /** The highest version of a key that was lost. */
  forgottenVersion: number
  /** Facts, or keys with a value, and the bytes of their bodies. */
  entries: number
  bytes: number
  removals: number
  /** What it retains, as of the last operation. */
  retention: Retention
}

/** The head of a channel that has no entries yet. */
export function newHead(base: number): ChannelHead {
  return { base, top: base, dedupeChunk: 0, dedupeUntil: 0, collections: new Map() }
}

/** Adds a collection to the head. */
export function newCollection(
  { collections }: ChannelHead,
  name: string,
  isKeyed: boolean,
  retention: Retention,
): CollectionHead {
  const counts = { floor: 0, forgottenVersion: 0, entries: 0, bytes: 0, removals: 0 }
  const collection = { name, number: collections.size, keyed: isKeyed ? 1 : 0, ...counts, retention }
  collections.set(name, collection)
  return collection
}

const CHANNEL_FIELDS = 4
const COLLECTION_FIELDS = 10

/** Numbers first, then the names of the collections. Valid until the next record is encoded. */
export function encodeHead({ base, top, dedupeChunk, dedupeUntil, collections }: ChannelHead): Buffer {
  const numbersEnd = 8 * (1 + CHANNEL_FIELDS + COLLECTION_FIELDS * collections.size)
  let bytes = numbersEnd
  for (const name of collections.keys()) bytes += textBytesMax(name)
  const target = space(bytes)
  const numbers = numbersIn(bytes)
  numbers[0] = collections.size
  numbers[1] = base
  numbers[2] = top
  numbers[3] = dedupeChunk
  numbers[4] = dedupeUntil
  let end = numbersEnd
  for (const collection of collections.values()) {
    setCollection(numbers, 1 + CHANNEL_FIELDS + COLLECTION_FIELDS * collection.number, collection)
    end = writeText(target, end, collection.name)
  }
  return target.subarray(0, end)
}

function setCollection(numbers: Float64Array, start: number, collection: CollectionHead): void {
  const { retention } = collection
  numbers[start] = collection.keyed
  numbers[start + 1] = collection.floor
  numbers[start + 2] = collection.forgottenVersion
  numbers[start + 3] = collection.entries
  numbers[start + 4] = collection.bytes
  numbers[start + 5] = collection.removals
  numbers[start + 6] = retention.entries
  numbers[start + 7] = retention.forMs
  numbers[start + 8] = retention.bytes
  numbers[start + 9] = retention.removalsForMs
}

export function decodeHead(record: Uint8Array): ChannelHead {
  const source = bufferOf(record)
  const numbers = new Float64Array(new Uint8Array(record).buffer, 0, Math.floor(record.length / 8))
  const [size = 0, base = 0, top = 0, dedupeChunk = 0, dedupeUntil = 0] = numbers
  const collections = new Map<string, CollectionHead>()
  let start = 1 + CHANNEL_FIELDS
  let position = 8 * (start + COLLECTION_FIELDS * size)
  for (let number = 0; number < size; number++, start += COLLECTION_FIELDS) {
    const { text: name, end } = readText(source, position)
    position = end
    collections.set(name, {
      name,
      number,
      ...collectionOf(numbers.subarray(start, start + COLLECTION_FIELDS)),
    })
  }
  return { base, top, dedupeChunk, dedupeUntil, collections }
}

function collectionOf(numbers: Float64Array): Omit<CollectionHead, "name" | "number"> {
  const [keyed = 0, floor = 0, forgottenVersion = 0, entries = 0, bytes = 0, removals = 0, ...kept] = numbers
  const [entriesMax = 0, forMs = 0, bytesMax = 0, removalsForMs = 0] = kept
  const retention = { entries: entriesMax, forMs, bytes: bytesMax, removalsForMs }
  return { keyed, floor, forgottenVersion, entries, bytes, removals, retention }
}
