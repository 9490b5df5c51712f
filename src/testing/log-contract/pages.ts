import type { Entry } from "../../log/entry.ts"
import type { BackPage, BackRange, Log, Page, Range } from "../../log/log.ts"
import { assert } from "./assert.ts"

/** One page, of everything unless the range says otherwise. */
export function readPage(log: Log, channel: string, range: Partial<Range> = {}): Promise<Page> {
  return log.read(channel, {
    after: 0,
    through: Number.MAX_SAFE_INTEGER,
    select: "all",
    entriesMax: 100_000,
    bytesMax: 1e9,
    ...range,
  })
}

/**
 * Everything in the range, page by page, checking that each page keeps the port's promises.
 * @param onPage called with each page and the offset behind which it begins
 */
export async function readAll(
  log: Log,
  channel: string,
  range: Partial<Range> = {},
  onPage: (page: Page, after: number) => void = () => undefined,
): Promise<Entry[]> {
  const entries: Entry[] = []
  let after = range.after ?? 0
  for (;;) {
    const page = await readPage(log, channel, { ...range, after })
    onPage(page, after)
    const end = Math.min(range.through ?? Number.MAX_SAFE_INTEGER, page.head.top)
    for (const { offset } of page.entries) {
      assert(offset > after && offset <= end, `offset ${offset} is not in (${after}, ${end}] or out of order`)
      after = offset
    }
    entries.push(...page.entries)
    assert(page.next >= after, `next ${page.next} lies before the page's last entry ${after}`)
    if (page.entries.length === 0) {
      assert(page.next >= end, `an empty page's next is ${page.next}, though the range goes on to ${end}`)
    }
    if (page.next >= end) return entries
    assert(page.next === after, `next is ${page.next} and not the offset ${after} of the page's last entry`)
  }
}

export function fold(log: Log, channel: string, range: Partial<Range> = {}): Promise<Entry[]> {
  return readAll(log, channel, { ...range, select: "fold" })
}

/** One backward page, from the newest entry unless the range says otherwise. */
export function readBackPage(
  log: Log,
  channel: string,
  range: Partial<BackRange> & { readonly collection: string },
): Promise<BackPage> {
  return log.readBack(channel, {
    before: Number.MAX_SAFE_INTEGER,
    entriesMax: 100_000,
    bytesMax: 1e9,
    ...range,
  })
}

/**
 * Everything before the range's end, page by page, checking that each page keeps the port's promises.
 * @param between called after each page
 */
export async function readBackAll(
  log: Log,
  channel: string,
  range: Partial<BackRange> & { readonly collection: string },
  between: () => Promise<unknown> = async () => undefined,
): Promise<Entry[]> {
  const entries: Entry[] = []
  let before = range.before ?? Number.MAX_SAFE_INTEGER
  for (;;) {
    const page = await readBackPage(log, channel, { ...range, before })
    for (const { created } of page.entries) {
      assert(created < before, `an entry created at ${created} is out of order, or not before ${before}`)
      before = created
    }
    entries.push(...page.entries)
    if (page.before === undefined) return entries
    assert(page.entries.length > 0, `an empty page says that another begins before ${page.before}`)
    assert(page.before <= before, `the next page begins before ${page.before}, behind the entry of ${before}`)
    before = page.before
    await between()
  }
}
