import type { Entry } from "../../log/entry.ts"
import type { Operation } from "../../log/operation.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { bytesOf, FACTS, fact, KEYS, keep, numbers, offsetsOf, put, remove, textsOf } from "./operations.ts"
import { fold, readAll, readPage } from "./pages.ts"
import { recorder } from "./recorder.ts"

export function readingChecks(check: Check): LogCheck[] {
  return [...rangeChecks(check), ...pageChecks(check), ...foldChecks(check), ...offsetOfLastChecks(check)]
}

function rangeChecks(check: Check): LogCheck[] {
  return [
    check("a read starts behind `after` and ends with `through`", async (log) => {
      const entries = await recorder(log, "a").all(numbers(10).map((text) => fact(text)))
      const offsets = offsetsOf(entries)
      const ranges = [
        [0, 9],
        [2, 5],
        [4, 4],
        [8, 9],
      ] as const
      for (const [from, to] of ranges) {
        const page = await readPage(log, "a", { after: offsets[from] ?? 0, through: offsets[to] ?? 0 })
        assertEqual(
          page.entries,
          entries.slice(from + 1, to + 1),
          `behind entry ${from}, through entry ${to}`,
        )
        assertEqual(page.next, offsets[to], "next")
      }
    }),

    check("beyond the top there is nothing, and `next` does not go there", async (log) => {
      const entries = await recorder(log, "a").all([fact("1"), put("k", "2")])
      const { top } = await log.head("a")
      const page = await readPage(log, "a", { through: top + 1_000 })
      assertEqual([page.entries, page.next], [entries, top], "a page with its end beyond the top")
      const beyond = await readPage(log, "a", { after: top + 10 })
      assertEqual([beyond.entries, beyond.next], [[], top + 10], "a page behind the top")
    }),

    check("a read of some collections leaves the others out, and goes on behind them", async (log) => {
      const entries = await recorder(log, "a").all(mixed())
      const live = liveOf(entries)
      for (const collections of [[FACTS], [KEYS], ["others", FACTS], ["none"], []]) {
        const of = ({ collection }: Entry) => collections.includes(collection)
        const what = `of ${collections}`
        assertEqual(await readAll(log, "a", { collections, entriesMax: 2 }), live.filter(of), what)
        assertEqual(await fold(log, "a", { collections }), foldOf(entries).filter(of), `the fold ${what}`)
      }
      const page = await readPage(log, "a", { collections: ["none"] })
      assertEqual(page.next, page.head.top, "where to read on when there is nothing")
    }),
  ]
}

function pageChecks(check: Check): LogCheck[] {
  return [
    check("pages of few entries join up to the whole", async (log) => {
      const entries = await recorder(log, "a").all(mixed())
      for (const entriesMax of [1, 2, 3, 7, 1_000]) {
        for (const select of ["all", "fold"] as const) {
          const page = await readPage(log, "a", { entriesMax, select })
          const count = page.entries.length
          assert(count <= entriesMax, `${count} entries, ${entriesMax} were asked for`)
          const expected = select === "all" ? liveOf(entries) : foldOf(entries)
          assertEqual(await readAll(log, "a", { entriesMax, select }), expected, `${select} by ${entriesMax}`)
        }
      }
    }),

    check("pages of few bytes join up to the whole, and have one entry at least", async (log) => {
      const texts = numbers(12).map((_, index) => "x".repeat(index * 10))
      const entries = await recorder(log, "a").all([
        ...texts.map((text) => fact(text)),
        ...texts.map((text, index) => put(`${index}`, text)),
      ])
      for (const bytesMax of [0, 1, 64, 100, 10_000]) {
        const page = await readPage(log, "a", { bytesMax })
        assert(page.entries.length > 0, `a page of ${bytesMax} bytes is empty`)
        assertEqual(await readAll(log, "a", { bytesMax }), entries, `by ${bytesMax} bytes`)
      }
      const { entries: few } = await readPage(log, "a", { bytesMax: 100 })
      const bytes = few.reduce((sum, { body }) => sum + body.length, 0)
      assert(bytes <= 250, `${bytes} bytes are not about 100`)
    }),

    check("a page carries the head of its moment", async (log) => {
      const { all } = recorder(log, "a")
      await all(
        numbers(5).map((text) => fact(text)),
        { retention: keep({ entries: 3 }) },
      )
      assertEqual((await readPage(log, "a")).head, await log.head("a"), "the page's head")
      const range = { collection: FACTS, before: 1_000, entriesMax: 10, bytesMax: 10 }
      assertEqual((await log.readBack("a", range)).head, await log.head("a"), "the backward page's head")
    }),
  ]
}

function foldChecks(check: Check): LogCheck[] {
  return [
    check("a fold has the latest value of each key, and nothing else", async (log) => {
      const entries = await recorder(log, "a").all(mixed())
      assertEqual(await fold(log, "a"), foldOf(entries), "the fold")
      const through = entries[6]?.offset ?? 0
      const part = foldOf(entries).filter(({ offset }) => offset <= through)
      assertEqual(await fold(log, "a", { through }), part, "the part of the fold up to an offset")
    }),

    check("a key that changes while a fold is read appears further behind", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all(["a", "b", "c", "d"].map((key) => put(key, "old")))
      const first = await readPage(log, "a", { select: "fold", entriesMax: 2 })
      assertEqual(first.entries, entries.slice(0, 2), "the first page")
      const changed = await all([put("c", "new"), put("a", "newer")])
      const rest = await fold(log, "a", { after: first.next })
      assertEqual(rest, [entries[3], ...changed], "the rest")
    }),
  ]
}

function offsetOfLastChecks(check: Check): LogCheck[] {
  const factsBehind = async (log: Parameters<typeof readAll>[0], count: number): Promise<string[]> => {
    const after = await log.offsetOfLast("a", FACTS, count)
    return textsOf(await readAll(log, "a", { after, collections: [FACTS] }))
  }
  return [
    check("offsetOfLast yields the last facts of a collection, whatever lies between", async (log) => {
      await recorder(log, "a").all([
        fact("1"),
        put("k", "x"),
        fact("2"),
        fact("y", { collection: "others" }),
        fact("z", { collection: "others" }),
        fact("3"),
        put("k", "y"),
      ])
      for (const count of [0, 1, 2, 3, 4, Infinity]) {
        const last = count === 0 ? [] : numbers(3, 1).slice(-count)
        assertEqual(await factsBehind(log, count), last, `the last ${count}`)
      }
      const other = await log.offsetOfLast("a", "others", 1)
      const others = await readAll(log, "a", { after: other, collections: ["others"] })
      assertEqual(textsOf(others), ["z"], "the last of the other collection")
    }),

    check("offsetOfLast never lies below the collection's floor", async (log) => {
      const { all } = recorder(log, "a", { retention: keep({ entries: 5 }) })
      await all(numbers(20).map((text) => fact(text)))
      const floor = (await log.head("a")).floors[FACTS] ?? 0
      for (const count of [5, 6, 100, Infinity]) {
        const after = await log.offsetOfLast("a", FACTS, count)
        assert(after >= floor, `the offset ${after} of the last ${count} lies below the floor ${floor}`)
        assertEqual(await factsBehind(log, count), numbers(5, 15), `the last ${count}`)
      }
      assertEqual(await factsBehind(log, 4), numbers(4, 16), "the last 4")
    }),
  ]
}

/** Some of everything: what is superseded, removed, and stays. */
function mixed(): Operation[] {
  return [
    fact("1"),
    put("a", "old"),
    put("ada", "", { collection: "others" }),
    put("b", "b"),
    fact("2"),
    put("a", "new"),
    put("bob", "", { collection: "others", holder: "node" }),
    remove("b"),
    remove("ada", { collection: "others", body: bytesOf("why") }),
    fact("3"),
    put("ada", "again", { collection: "others" }),
    put("c", "c"),
    remove("c"),
    put("a", "another a", { collection: "more" }),
  ]
}

/** What is left of entries once later ones of the same key have taken their place. */
function liveOf(entries: readonly Entry[]): Entry[] {
  const latest = new Map(entries.map((entry) => [identity(entry), entry]))
  return entries.filter((entry) => latest.get(identity(entry)) === entry)
}

function foldOf(entries: readonly Entry[]): Entry[] {
  return liveOf(entries).filter(({ operation }) => operation === "put")
}

function identity({ operation, collection, key, offset }: Entry): string {
  return JSON.stringify([collection, key, operation === "append" ? offset : 0])
}
