import type { Entry, Range } from "../../hub/log.ts"
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
  const scans = partsOf(head, select).map(({ part, floor }) =>
    store.scan(id, part, Math.max(after, floor), end, entriesMax + 1),
  )
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

/** The parts with something in them. Of the events, those that are trimmed may still be in the file. */
function partsOf(head: Readonly<ChannelHead>, select: Range["select"]) {
  const parts = []
  if (head.values > 0) parts.push({ part: PART.values, floor: 0 })
  if (select === "all" && head.tombstones > 0) parts.push({ part: PART.tombstones, floor: 0 })
  if (select === "all" && head.events > 0) parts.push({ part: PART.events, floor: head.eventFloor })
  return parts
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
  const offset = store.fromEnd(id, PART.events, count)
  return offset === undefined ? floor : Math.max(floor, offset - 1)
}
