import type { Retention } from "../../log/operation.ts"
import { bufferOf, space } from "./record.ts"
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

/** Valid until the next record is encoded. */
export function encodeHead({ base, top, dedupeChunk, dedupeUntil, collections }: ChannelHead): Buffer {
  let bytes = 8 * CHANNEL_FIELDS
  for (const name of collections.keys()) bytes += textBytesMax(name) + 8 * COLLECTION_FIELDS
  const target = space(bytes)
  let position = target.writeDoubleLE(base, 0)
  position = target.writeDoubleLE(top, position)
  position = target.writeDoubleLE(dedupeChunk, position)
  position = target.writeDoubleLE(dedupeUntil, position)
  for (const collection of collections.values()) position = writeCollection(target, position, collection)
  return target.subarray(0, position)
}

function writeCollection(target: Buffer, start: number, collection: CollectionHead): number {
  const { retention } = collection
  let position = writeText(target, start, collection.name)
  position = target.writeDoubleLE(collection.keyed, position)
  position = target.writeDoubleLE(collection.floor, position)
  position = target.writeDoubleLE(collection.forgottenVersion, position)
  position = target.writeDoubleLE(collection.entries, position)
  position = target.writeDoubleLE(collection.bytes, position)
  position = target.writeDoubleLE(collection.removals, position)
  position = target.writeDoubleLE(retention.entries, position)
  position = target.writeDoubleLE(retention.forMs, position)
  position = target.writeDoubleLE(retention.bytes, position)
  return target.writeDoubleLE(retention.removalsForMs, position)
}

export function decodeHead(record: Uint8Array): ChannelHead {
  const source = bufferOf(record)
  const numbers = (start: number, count: number) =>
    Array.from({ length: count }, (_, index) => source.readDoubleLE(start + 8 * index))
  const [base = 0, top = 0, dedupeChunk = 0, dedupeUntil = 0] = numbers(0, CHANNEL_FIELDS)
  const collections = new Map<string, CollectionHead>()
  for (let position = 8 * CHANNEL_FIELDS; position < source.length; ) {
    const { text: name, end } = readText(source, position)
    const [keyed = 0, floor = 0, forgottenVersion = 0, entries = 0, bytes = 0, removals = 0, ...kept] =
      numbers(end, COLLECTION_FIELDS)
    const retention = retentionOf(kept)
    const number = collections.size
    collections.set(name, {
      name,
      number,
      keyed,
      floor,
      forgottenVersion,
      entries,
      bytes,
      removals,
      retention,
    })
    position = end + 8 * COLLECTION_FIELDS
  }
  return { base, top, dedupeChunk, dedupeUntil, collections }
}

function retentionOf([entries = 0, forMs = 0, bytes = 0, removalsForMs = 0]: readonly number[]): Retention {
  return { entries, forMs, bytes, removalsForMs }
}
