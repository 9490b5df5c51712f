import type { Entry } from "../../log/entry.ts"
import type { BackRange, Range } from "../../log/log.ts"
import type { ChannelHead, CollectionHead } from "./channel-head.ts"
import { readFailure } from "./failure.ts"
import { merged } from "./merged.ts"
import type { Store } from "./store.ts"
import { type Change, Values } from "./values.ts"

/** A channel in the file, as it is read. */
export interface StoredChannel {
  readonly id: number
  readonly head: Readonly<ChannelHead>
}

/** How many steps of growing values a page takes at most, however small they are. */
const STEPS_MAX = 2_000

interface Limits {
  readonly entriesMax: number
  readonly bytesMax: number
}

interface Filled {
  readonly entries: Entry[]
  /** Up to where the scan was taken; undefined when it has ended. */
  readonly next: number | undefined
}

/** Reads a range of a channel: a merge of what its collections have, in the order of offsets. */
export function readPage(
  store: Store,
  channel: StoredChannel,
  range: Range,
): { readonly entries: Entry[]; readonly next: number } {
  const { after, through, select } = range
  const end = Math.min(through, channel.head.top)
  if (after >= end) return { entries: [], next: after }
  try {
    const filled =
      select === "fold" ? foldPage(store, channel, range, end) : changesPage(store, channel, range, end)
    return { entries: filled.entries, next: filled.next ?? end }
  } catch (error) {
    throw readFailure(error)
  }
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
  try {
    const { entries, next } = filled(scan, range)
    return { entries, before: next === undefined ? undefined : entries.at(-1)?.created }
  } catch (error) {
    throw readFailure(error)
  }
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
    return known && values.entry(known)
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

function foldPage(store: Store, { id, head }: StoredChannel, range: Range, end: number): Filled {
  const scans: Iterator<Entry>[] = []
  for (const { keyed, entries, number, name } of listed(head, range.collections)) {
    if (keyed === 0 || entries === 0) continue
    const values = new Values(store, { channel: id, collection: number }, name)
    scans.push(values.fold(range.after, end, head.top))
  }
  return filled(merged(scans, offsetOf), range)
}

/** Of a value that grows, the steps that the page covers make one entry. */
function changesPage(store: Store, channel: StoredChannel, range: Range, end: number): Filled {
  const { after, entriesMax, bytesMax } = range
  const last = new Map<Entry | string, Entry | Change>()
  let [bytes, taken, next] = [0, 0, after]
  const result = (isComplete: boolean): Filled => {
    const entries = Array.from(last.values(), (item) =>
      "values" in item ? item.values.entryAt(item.created, after, item.offset) : item,
    )
    return { entries: entries.sort((a, b) => a.offset - b.offset), next: isComplete ? undefined : next }
  }
  for (const item of merged(changesOf(store, channel, range, end), offsetOf)) {
    const identity = "values" in item ? `${item.created} ${item.values.collection}` : item
    const isMore = last.has(identity) ? 0 : 1
    bytes += "values" in item ? item.bytes : item.body.length
    if (last.size > 0 && (last.size + isMore > entriesMax || bytes > bytesMax || ++taken > STEPS_MAX))
      return result(false)
    last.set(identity, item)
    next = item.offset
  }
  return result(true)
}

function changesOf(
  store: Store,
  { id, head }: StoredChannel,
  { after, collections }: Range,
  end: number,
): Iterator<Entry | Change>[] {
  const scans: Iterator<Entry | Change>[] = []
  for (const { keyed, entries, removals, number, name, floor } of listed(head, collections)) {
    const place = { channel: id, collection: number }
    const values = new Values(store, place, name)
    // facts that are trimmed may still be in the file
    if (keyed === 0 && entries > 0) scans.push(store.facts(place, name, Math.max(after, floor), end))
    if (keyed === 1 && entries > 0) scans.push(values.steps(after, end))
    if (removals > 0) scans.push(values.removals(after, end))
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

function offsetOf({ offset }: { readonly offset: number }): number {
  return offset
}

/** Takes entries until a page is full. */
function filled(scan: Iterable<Entry>, { entriesMax, bytesMax }: Limits): Filled {
  const entries: Entry[] = []
  let bytes = 0
  for (const entry of scan) {
    bytes += entry.body.length
    if (entries.length > 0 && (entries.length >= entriesMax || bytes > bytesMax))
      return { entries, next: entries.at(-1)?.offset }
    entries.push(entry)
  }
  return { entries, next: undefined }
}
