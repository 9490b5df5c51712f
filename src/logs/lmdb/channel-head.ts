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
  let position = 0
  const write = (number: number) => {
    position = target.writeDoubleLE(number, position)
  }
  for (const number of [base, top, dedupeChunk, dedupeUntil]) write(number)
  for (const collection of collections.values()) {
    const { entries, forMs, bytes: bytesMax, removalsForMs } = collection.retention
    position = writeText(target, position, collection.name)
    write(collection.keyed)
    write(collection.floor)
    write(collection.forgottenVersion)
    write(collection.entries)
    write(collection.bytes)
    write(collection.removals)
    write(entries)
    write(forMs)
    write(bytesMax)
    write(removalsForMs)
  }
  return target.subarray(0, position)
}

export function decodeHead(record: Uint8Array): ChannelHead {
  const source = bufferOf(record)
  let position = 0
  const read = () => {
    position += 8
    return source.readDoubleLE(position - 8)
  }
  const [base, top, dedupeChunk, dedupeUntil] = [read(), read(), read(), read()]
  const collections = new Map<string, CollectionHead>()
  while (position < source.length) {
    const { text: name, end } = readText(source, position)
    position = end
    const number = collections.size
    const counts = { keyed: read(), floor: read(), forgottenVersion: read(), entries: read(), bytes: read() }
    const removals = read()
    const retention = { entries: read(), forMs: read(), bytes: read(), removalsForMs: read() }
    collections.set(name, { name, number, ...counts, removals, retention })
  }
  return { base, top, dedupeChunk, dedupeUntil, collections }
}
