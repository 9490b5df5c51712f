import type { Entry } from "../../log/entry.ts"
import type { BackRange, Range } from "../../log/log.ts"
import type { ChannelHead, CollectionHead } from "./channel-head.ts"
import { readFailure } from "./failure.ts"
import type { Place } from "./keys.ts"
import type { Store } from "./store.ts"
import { Values } from "./values.ts"

/** A channel in the file, as it is read. */
export interface StoredChannel {
  readonly id: number
  readonly head: Readonly<ChannelHead>
}

interface Limits {
  readonly entriesMax: number
  readonly bytesMax: number
}

/** Reads a range of a channel: a merge of what its collections have, in the order of offsets. */
export function readPage(
  store: Store,
  channel: StoredChannel,
  range: Range,
): { readonly entries: Entry[]; readonly next: number } {
  const { after, through } = range
  const end = Math.min(through, channel.head.top)
  if (after >= end) return { entries: [], next: after }
  const { entries, isComplete } = filled(merged(scansOf(store, channel, range, end)), range)
  return { entries, next: isComplete ? end : (entries.at(-1)?.offset ?? after) }
}

/** Reads entries of a collection that were created before an offset, the last one first. */
export function readBackPage(
  store: Store,
  { id, head }: StoredChannel,
  range: BackRange,
): { readonly entries: Entry[]; readonly before: number | undefined } {
  const collection = head.collections.get(range.collection)
  if (collection === undefined || collection.entries === 0) return { entries: [], before: undefined }
  const place = { channel: id, collection: collection.number }
  const scan =
    collection.keyed === 1
      ? new Values(store, place, range.collection).backwards(range.before)
      : store.factsBackwards(place, range.collection, collection.floor, range.before)
  const { entries, isComplete } = filled(scan, range)
  return { entries, before: isComplete ? undefined : entries.at(-1)?.created }
}

/** The latest entry of a key. */
export function findEntry(
  store: Store,
  { id, head }: StoredChannel,
  collection: string,
  key: string,
): Entry | undefined {
  const found = head.collections.get(collection)
  if (found?.keyed !== 1) return undefined
  const values = new Values(store, { channel: id, collection: found.number }, collection)
  try {
    const known = values.find(key)
    return known && values.entry(known, 0)
  } catch (error) {
    throw readFailure(error)
  }
}

/** The offset behind which the last `count` facts stand. */
export function offsetOfLast(store: Store, { id, head }: StoredChannel, name: string, count: number): number {
  const collection = head.collections.get(name)
  if (collection === undefined || count <= 0) return head.top
  const floor = Math.max(head.base, collection.floor)
  if (collection.keyed === 1 || count >= collection.entries) return floor
  const offset = store.factFromEnd({ channel: id, collection: collection.number }, count)
  return offset === undefined ? floor : Math.max(floor, offset - 1)
}

function scansOf(
  store: Store,
  { id, head }: StoredChannel,
  { after, select, collections, entriesMax }: Range,
  end: number,
): Generator<Entry>[] {
  const limit = entriesMax + 1
  const scans: Generator<Entry>[] = []
  for (const collection of listed(head, collections)) {
    const place: Place = { channel: id, collection: collection.number }
    if (collection.keyed === 1) {
      const values = new Values(store, place, collection.name)
      if (collection.entries > 0) scans.push(values.inOrder(after, end, limit, select === "all"))
      if (collection.removals > 0 && select === "all") scans.push(values.removals(after, end, limit))
    } else if (collection.entries > 0 && select === "all") {
      // those that are trimmed may still be in the file
      scans.push(store.facts(place, collection.name, Math.max(after, collection.floor), end, limit))
    }
  }
  return scans
}

function listed(
  { collections }: Readonly<ChannelHead>,
  names: readonly string[] | undefined,
): CollectionHead[] {
  if (names === undefined) return [...collections.values()]
  return [...new Set(names)].flatMap((name) => collections.get(name) ?? [])
}

/** Takes entries until a page is full. A scan that is left early is ended, for it holds a cursor of LMDB. */
function filled(
  scan: Generator<Entry>,
  { entriesMax, bytesMax }: Limits,
): { readonly entries: Entry[]; readonly isComplete: boolean } {
  const entries: Entry[] = []
  let bytes = 0
  try {
    for (const entry of scan) {
      bytes += entry.body.length
      if (entries.length > 0 && (entries.length >= entriesMax || bytes > bytesMax))
        return { entries, isComplete: false }
      entries.push(entry)
    }
    return { entries, isComplete: true }
  } catch (error) {
    throw readFailure(error)
  }
}

function* merged(scans: readonly Generator<Entry>[]): Generator<Entry> {
  try {
    const nexts = scans.map((scan) => scan.next())
    for (;;) {
      let lowest: Entry | undefined
      let from = 0
      for (const [index, next] of nexts.entries()) {
        if (next.done !== true && (lowest === undefined || next.value.offset < lowest.offset)) {
          lowest = next.value
          from = index
        }
      }
      if (lowest === undefined) return
      yield lowest
      nexts[from] = (scans[from] as Generator<Entry>).next()
    }
  } finally {
    for (const scan of scans) scan.return(undefined)
  }
}
