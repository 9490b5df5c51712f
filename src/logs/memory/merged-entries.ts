import type { Entry } from "../../log/entry.ts"
import type { Range } from "../../log/log.ts"
import type { Facts } from "./facts.ts"
import type { Item, Keys } from "./keys.ts"
import { OffsetList } from "./offset-list.ts"

/** A list that is being read, and how far. */
interface Reading {
  readonly list: OffsetList<Entry> | OffsetList<Item>
  readonly entryOf: (slot: number) => Entry
  slot: number
}

/** The entries of several collections in the order of their offsets, as a reader that stops at `end` has to see them. */
export function* mergedEntries(
  collections: readonly (Facts | Keys)[],
  { after, select }: Pick<Range, "after" | "select">,
  end: number,
): Generator<Entry> {
  const sources = collections.flatMap((collection) =>
    collection.kind === "facts" ? factsOf(collection, select) : keysOf(collection, select, after, end),
  )
  const readings = sources.map((source) => ({ ...source, slot: source.list.next(source.list.seek(after)) }))
  for (;;) {
    const lowest = lowestOf(readings)
    if (lowest === undefined || lowest.list.offsetAt(lowest.slot) > end) return
    const { list, entryOf, slot } = lowest
    lowest.slot = list.next(slot + 1)
    yield entryOf(slot)
  }
}

type Source = Omit<Reading, "slot">

function factsOf({ entries }: Facts, select: Range["select"]): Source[] {
  if (select === "fold") return []
  return [{ list: entries, entryOf: (slot) => entries.at(slot) as Entry }]
}

function keysOf(keys: Keys, select: Range["select"], after: number, end: number): Source[] {
  const { values, tombstones } = keys
  // a fold is of whole values
  const from = select === "fold" ? 0 : after
  const sources: Source[] = [
    { list: values, entryOf: (slot) => keys.entry(values.at(slot) as Item, from) },
    listOf(keys.earlierEntries(after, end, select)),
  ]
  if (select === "all") {
    sources.push({ list: tombstones, entryOf: (slot) => keys.entry(tombstones.at(slot) as Item, after) })
  }
  return sources
}

function listOf(entries: Entry[]): Source {
  const list = new OffsetList<Entry>()
  for (const entry of entries.sort((a, b) => a.offset - b.offset)) list.push(entry.offset, entry)
  return { list, entryOf: (slot) => list.at(slot) as Entry }
}

function lowestOf(readings: readonly Reading[]): Reading | undefined {
  let lowest: Reading | undefined
  for (const reading of readings) {
    const { list, slot } = reading
    if (slot >= list.end) continue
    if (lowest === undefined || list.offsetAt(slot) < lowest.list.offsetAt(lowest.slot)) lowest = reading
  }
  return lowest
}
