import type { Entry } from "../../log/entry.ts"
import type { Log, Range } from "../../log/log.ts"
import type { Limits } from "../limits.ts"

/** Reads a range page by page, for those who want all of it at once. Keeps what is `wanted`. */
export async function entries(
  { log, limits }: { readonly log: Log; readonly limits: Limits },
  channel: string,
  range: Pick<Range, "after" | "select" | "collections">,
  wanted: (entry: Entry) => boolean,
): Promise<Entry[]> {
  const { epoch, top: through } = await log.head(channel)
  const { pageEntriesMax: entriesMax, pageBytesMax: bytesMax } = limits
  const found: Entry[] = []
  for (let { after } = range; after < through; ) {
    const page = await log.read(channel, { ...range, after, through, entriesMax, bytesMax })
    // the log was lost and began anew: nothing that was found is in it
    if (page.head.epoch !== epoch) return entries({ log, limits }, channel, { ...range, after: 0 }, wanted)
    found.push(...page.entries.filter(wanted))
    after = page.next
  }
  return found
}
