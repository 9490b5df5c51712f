import type { BackPage, BackRange, Log } from "../../../src/log/log.ts"
import { allOf, type BrokenLogs, broken } from "./broken.ts"

const pagesOf = (
  log: Log,
  change: (page: BackPage, range: BackRange, channel: string) => BackPage | Promise<BackPage>,
): Partial<Log> => ({
  readBack: async (channel, range) => change(await log.readBack(channel, range), range, channel),
})

const rangesOf = (log: Log, change: (range: BackRange) => BackRange): Partial<Log> => ({
  readBack: (channel, range) => log.readBack(channel, change(range)),
})

export const brokenBackReads: BrokenLogs = {
  "reads back from the oldest": broken("facts are read back from the newest to the oldest", (log) =>
    pagesOf(log, (page) => ({ ...page, entries: [...page.entries].reverse() })),
  ),
  "reads back by the latest change": broken(
    "backward pages of few entries join up to the whole, and end",
    (log) =>
      pagesOf(log, (page) => ({ ...page, entries: [...page.entries].sort((a, b) => b.offset - a.offset) })),
  ),
  "reads back what stands at `before`": broken("facts are read back from the newest to the oldest", (log) =>
    rangesOf(log, (range) => ({ ...range, before: range.before + 1 })),
  ),
  "reads back longer pages than it was asked for": broken(
    "backward pages of few entries join up to the whole, and end",
    (log) => rangesOf(log, (range) => ({ ...range, entriesMax: range.entriesMax + 1 })),
  ),
  "reads back pages of any number of bytes": broken(
    "backward pages of few bytes join up to the whole, with one entry at least",
    (log) => rangesOf(log, (range) => ({ ...range, bytesMax: Infinity })),
  ),
  "reads back an empty page when the first entry is too large": broken(
    "backward pages of few bytes join up to the whole, with one entry at least",
    (log) =>
      pagesOf(log, (page, { bytesMax }) =>
        (page.entries[0]?.body.length ?? 0) <= bytesMax ? page : { ...page, entries: [], before: undefined },
      ),
  ),
  "reads back one page only": broken("backward pages of few entries join up to the whole, and end", (log) =>
    pagesOf(log, (page) => ({ ...page, before: undefined })),
  ),
  "reads back an empty page at the end": broken(
    "a backward page says that it is the last when nothing is left",
    (log) => pagesOf(log, (page) => ({ ...page, before: page.entries.at(-1)?.created })),
  ),
  "reads back the next page behind the latest change": broken(
    "backward pages are complete and without doubles while entries come",
    (log) => pagesOf(log, (page) => ({ ...page, before: page.before && page.entries.at(-1)?.offset })),
  ),
  "reads back removals": broken("removed keys are not read back", (log) =>
    pagesOf(log, async (page, { collection }, channel) => {
      const all = await allOf(log, channel)
      const removals = all.filter((entry) => entry.collection === collection && entry.operation === "remove")
      return { ...page, entries: [...removals.reverse(), ...page.entries] }
    }),
  ),
  "reads back what was trimmed": broken("nothing is read back below the floor", (log) => {
    const facts = new Map<string, BackPage["entries"][number]>()
    return {
      append: async (channel, operation, options) => {
        const outcome = await log.append(channel, operation, { ...options })
        const { offset } = outcome.position
        if (operation.operation === "append" && outcome.status === "appended") {
          const entry = { ...operation, offset, created: offset, version: 0, holder: "" }
          facts.set(`${channel} ${offset}`, entry)
        }
        return outcome
      },
      readBack: async (channel, range) => {
        const page = await log.readBack(channel, range)
        const last = page.entries.at(-1)?.created ?? range.before
        const older = [...facts].filter(
          ([id, { collection, offset }]) =>
            id.startsWith(`${channel} `) && collection === range.collection && offset < last,
        )
        if (page.before !== undefined || page.entries.length >= range.entriesMax) return page
        return { ...page, entries: [...page.entries, ...older.map(([, entry]) => entry).reverse()] }
      },
    }
  }),
  "reads back the last piece of a value": broken(
    "a fold, a find and a backward page have the whole of an extended value",
    (log) => {
      const pieces = new Map<number, Uint8Array>()
      return {
        append: async (channel, operation, options) => {
          const outcome = await log.append(channel, operation, options)
          pieces.set(outcome.position.offset, operation.body)
          return outcome
        },
        readBack: async (channel, range) => {
          const page = await log.readBack(channel, range)
          const cut = page.entries.map((entry) => ({
            ...entry,
            body: pieces.get(entry.offset) ?? entry.body,
          }))
          return { ...page, entries: cut }
        },
      }
    },
  ),
}
