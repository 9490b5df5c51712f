import { type BrokenLogs, broken, pagesOf } from "./broken.ts"

export const brokenReads: BrokenLogs = {
  "reads beyond `through`": broken("a read starts behind `after` and ends with `through`", (log) => ({
    read: (channel, range) => log.read(channel, { ...range, through: range.through + 1 }),
  })),
  "reads what stands at `after`": broken("a read starts behind `after` and ends with `through`", (log) => ({
    read: (channel, range) => log.read(channel, { ...range, after: range.after - 1 }),
  })),
  "gives longer pages than it was asked for": broken("pages of few entries join up to the whole", (log) => ({
    read: (channel, range) => log.read(channel, { ...range, entriesMax: range.entriesMax + 1 }),
  })),
  "gives pages of any number of bytes": broken(
    "pages of few bytes join up to the whole, and have one entry at least",
    (log) => ({
      read: (channel, range) => log.read(channel, { ...range, bytesMax: Infinity }),
    }),
  ),
  "gives an empty page when the first entry is too large": broken(
    "pages of few bytes join up to the whole, and have one entry at least",
    (log) => ({
      read: async (channel, range) => {
        const page = await log.read(channel, range)
        const fits = (page.entries[0]?.body.length ?? 0) <= range.bytesMax
        return fits ? page : { ...page, entries: [], next: range.after }
      },
    }),
  ),
  "goes on behind what it left out": broken("pages of few entries join up to the whole", (log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, range)
      return { ...page, next: Math.max(range.after, Math.min(range.through, page.head.top)) }
    },
  })),
  "reads all collections, whatever was asked for": broken(
    "a read of some collections leaves the others out, and goes on behind them",
    (log) => ({
      read: (channel, { collections: _, ...range }) => log.read(channel, range),
    }),
  ),
  "stops where the last entry of the collections stands": broken(
    "a read of some collections leaves the others out, and goes on behind them",
    (log) => ({
      read: async (channel, range) => {
        const page = await log.read(channel, range)
        return { ...page, next: page.entries.at(-1)?.offset ?? range.after }
      },
    }),
  ),
  "folds removals in": broken("a fold has the latest value of each key, and nothing else", (log) => ({
    read: async (channel, range) => {
      const page = await log.read(channel, { ...range, select: "all" })
      if (range.select === "all") return page
      return { ...page, entries: page.entries.filter(({ operation }) => operation !== "append") }
    },
  })),
  "leaves keys with a holder out of the fold": broken(
    "a fold has the latest value of each key, and nothing else",
    (log) => ({
      read: async (channel, range) => {
        const page = await log.read(channel, range)
        if (range.select === "all") return page
        return { ...page, entries: page.entries.filter(({ holder }) => holder === "") }
      },
    }),
  ),
  "hides removals": broken("a cursor below a removal reads it", (log) =>
    pagesOf(log, (entries) => entries.filter(({ operation }) => operation !== "remove")),
  ),
  "finds no removals": broken("a removed key is gone from the fold, and its removal is an entry", (log) => ({
    find: async (...args) => {
      const entry = await log.find(...args)
      return entry?.operation === "remove" ? undefined : entry
    },
  })),
  "counts keys as facts": broken(
    "offsetOfLast yields the last facts of a collection, whatever lies between",
    (log) => ({
      offsetOfLast: async (channel, _, count) => Math.max(0, (await log.head(channel)).top - count),
    }),
  ),
  "counts the facts of all collections": broken(
    "offsetOfLast yields the last facts of a collection, whatever lies between",
    (log) => ({
      offsetOfLast: async (channel, collection, count) =>
        Math.max(
          await log.offsetOfLast(channel, collection, count),
          await log.offsetOfLast(channel, "others", count),
        ),
    }),
  ),
  "starts below the floor": broken("offsetOfLast never lies below the collection's floor", (log) => ({
    offsetOfLast: async (...args) => Math.min(await log.offsetOfLast(...args), 10),
  })),
}
