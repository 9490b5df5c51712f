import type { Entry, Range } from "../../log/log.ts"
import { readFailure } from "./failure.ts"
import { PART } from "./keys.ts"
import type { ChannelHead } from "./record.ts"
import type { Store } from "./store.ts"

/** Reads a range of a channel: a merge of its events, values and tombstones, in the order of offsets. */
export function readPage(
  store: Store,
  id: number,
  head: Readonly<ChannelHead>,
  { after, through, select, entriesMax, bytesMax }: Range,
): { readonly entries: readonly Entry[]; readonly next: number } {
  const end = Math.min(through, head.top)
  const complete = { entries: [] as Entry[], next: Math.max(after, end) }
  if (after >= end) return complete
  const scans = scansOf(store, id, head, { after, end, select, limit: entriesMax + 1 })
  const entries: Entry[] = complete.entries
  let bytes = 0
  try {
    for (const entry of merged(scans)) {
      bytes += entry.body.length
      if (entries.length > 0 && (entries.length >= entriesMax || bytes > bytesMax)) {
        return { entries, next: entries.at(-1)?.offset ?? after }
      }
      entries.push(entry)
    }
    return complete
  } catch (error) {
    throw readFailure(error)
  } finally {
    for (const scan of scans) scan.return(undefined)
  }
}

interface Scope {
  readonly after: number
  readonly end: number
  readonly select: Range["select"]
  readonly limit: number
}

/** Reads the parts with something in them. Of the events, those that are trimmed may still be in the file. */
function scansOf(
  store: Store,
  id: number,
  head: Readonly<ChannelHead>,
  { after, end, select, limit }: Scope,
): Generator<Entry>[] {
  const scans: Generator<Entry>[] = []
  if (head.values > 0) scans.push(store.keyed(id, PART.values, after, end, limit))
  if (select === "all" && head.tombstones > 0) scans.push(store.keyed(id, PART.tombstones, after, end, limit))
  if (select === "all" && head.events > 0)
    scans.push(store.events(id, Math.max(after, head.eventFloor), end, limit))
  return scans
}

function* merged(scans: readonly Generator<Entry>[]): Generator<Entry> {
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
}

/** The offset behind which the last `count` events stand. */
export function offsetOfLast(store: Store, id: number, head: Readonly<ChannelHead>, count: number): number {
  const floor = Math.max(head.eventFloor, head.tombstoneFloor)
  if (count <= 0) return head.top
  if (count >= head.events) return floor
  const offset = store.eventFromEnd(id, count)
  return offset === undefined ? floor : Math.max(floor, offset - 1)
}
