import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import type { Limits } from "../limits.ts"

/**
 * The values of a channel's keys, page by page, up to where the log stands at first.
 * @throws HoldfastError `log_unavailable` when the log begins anew meanwhile
 */
export async function* foldPages(
  { log, limits }: { readonly log: Log; readonly limits: Limits },
  channel: string,
  collections?: readonly string[],
): AsyncGenerator<readonly Entry[]> {
  const { pageEntriesMax: entriesMax, pageBytesMax: bytesMax } = limits
  const { epoch, top: through } = await log.head(channel)
  const range = {
    through,
    select: "fold",
    entriesMax,
    bytesMax,
    ...(collections && { collections }),
  } as const
  for (let after = 0; after < through; ) {
    const page = await log.read(channel, { after, ...range })
    if (page.head.epoch !== epoch) throw new HoldfastError("log_unavailable", "The log has begun anew.")
    if (page.entries.length > 0) yield page.entries
    after = page.next
  }
}
