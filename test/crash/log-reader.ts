import { formatName } from "holdfast"
import { lmdbLog } from "holdfast/lmdb"
import type { Placed } from "../../chaos/account.ts"
import { decodeBody } from "../../src/protocol/body.ts"
import { PARAMS, PATTERN } from "./app.ts"

/** The events behind `after` that are in the folder, read past the server. */
export async function eventsInFolder(folder: string, after: number): Promise<Placed[]> {
  const log = lmdbLog(folder, { readOnly: true })
  try {
    const channel = formatName(PATTERN, PARAMS)
    const { top: through } = await log.head(channel)
    const events: Placed[] = []
    for (let at = after; at < through; ) {
      const page = await log.read(channel, {
        after: at,
        through,
        select: "all",
        collections: ["events"],
        entriesMax: 1_000,
        bytesMax: 1e6,
      })
      for (const { offset, body } of page.entries)
        events.push({ offset, id: (decodeBody(body) as { readonly id: string }).id })
      at = page.next
    }
    return events
  } finally {
    await log.close()
  }
}
