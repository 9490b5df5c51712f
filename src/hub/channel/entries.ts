import type { Entry } from "../../log/entry.ts"
import type { Head, Log, Range } from "../../log/log.ts"
import type { Limits } from "../limits.ts"

interface EntriesPorts {
  readonly log: Log
  readonly limits: Limits
}

type Wanted = Pick<Range, "after" | "select" | "collections">

/**
 * Reads a range page by page, for callers that need all of it at once. Keeps what is `wanted`. A fold is as of its end: what is changed
 * while it is read is read behind it.
 */
export async function entries(
  ports: EntriesPorts,
  channel: string,
  range: Wanted,
  wanted: (entry: Entry) => boolean,
): Promise<Entry[]> {
  const { log, limits } = ports
  const { epoch, top } = await log.head(channel)
  const isFold = range.select === "fold"
  const size = { entriesMax: limits.pageEntriesMax, bytesMax: limits.pageBytesMax }
  const found = new Map<string, Entry>()
  let end = top
  for (let { after } = range; after < end; ) {
    const isChanged = isFold && after >= top
    const through = isChanged ? Number.MAX_SAFE_INTEGER : top
    const select = isChanged ? "all" : range.select
    const page = await log.read(channel, { ...range, ...size, select, after, through })
    // the log was lost and began anew, or nothing takes away any more what was found before
    const isOver =
      page.head.epoch !== epoch || (isFold && hasForgotten(page.head, range, Math.max(after, top)))
    if (isOver) return entries(ports, channel, { ...range, after: 0 }, wanted)
    for (const entry of page.entries) {
      if (isChanged) await change(found, entry, log, channel)
      else found.set(placeOf(entry), entry)
    }
    after = page.next
    if (isFold) end = page.head.top
  }
  return [...found.values()].filter(wanted)
}

/** Whether a removal may have been forgotten that was made behind this offset. */
function hasForgotten({ floors }: Head, { collections }: Wanted, offset: number): boolean {
  return (collections ?? Object.keys(floors)).some((collection) => (floors[collection] ?? 0) > offset)
}

/** Brings a fold up to date, and keeps it in the order of the offsets. */
async function change(found: Map<string, Entry>, entry: Entry, log: Log, channel: string): Promise<void> {
  const { operation, collection, key } = entry
  found.delete(placeOf(entry))
  // what was added to a value is no value
  const value = operation === "extend" ? await log.find(channel, collection, key) : entry
  if (value?.operation === "put") found.set(placeOf(value), value)
}

function placeOf({ operation, offset, collection, key }: Entry): string {
  return operation === "append" ? `${offset}` : `${collection}\n${key}`
}
