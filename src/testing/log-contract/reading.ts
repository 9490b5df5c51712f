import { assert, assertEqual } from "./assert.ts"
import {
  append,
  appendAll,
  type Check,
  event,
  join,
  type LogCheck,
  left,
  numbers,
  offsetsOf,
  readAll,
  readPage,
  remove,
  set,
  textsOf,
} from "./fixture.ts"

export function readingChecks(check: Check): LogCheck[] {
  return [
    check("a read starts behind `after` and ends with `through`", async (log) => {
      const entries = await appendAll(
        log,
        "a",
        numbers(10).map((text) => event(text)),
      )
      const offsets = offsetsOf(entries)
      for (const [from, to] of [
        [0, 9],
        [2, 5],
        [4, 4],
        [8, 9],
      ] as const) {
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
      const entries = await appendAll(log, "a", [event("1"), event("2")])
      const { top } = await log.head("a")
      const page = await readPage(log, "a", { through: top + 1_000 })
      assertEqual([page.entries, page.next], [entries, top], "a page with its end beyond the top")
      const beyond = await readPage(log, "a", { after: top + 10 })
      assertEqual(beyond.entries, [], "a page behind the top")
      assert(beyond.next <= top + 10, `next ${beyond.next} lies beyond where the read began`)
    }),

    check("pages of few entries join up to the whole", async (log) => {
      const entries = await appendAll(log, "a", mixed())
      for (const entriesMax of [1, 2, 3, 7, 1_000]) {
        for (const select of ["all", "fold"] as const) {
          const page = await readPage(log, "a", { entriesMax, select })
          assert(
            page.entries.length <= entriesMax,
            `${page.entries.length} entries, ${entriesMax} were asked for`,
          )
          const expected = select === "all" ? liveOf(entries) : foldOf(entries)
          assertEqual(await readAll(log, "a", { entriesMax, select }), expected, `${select} by ${entriesMax}`)
        }
      }
    }),

    check("pages of few bytes join up to the whole, and have one entry at least", async (log) => {
      const entries = await appendAll(
        log,
        "a",
        numbers(12).map((_, index) => event("x".repeat(index * 10))),
      )
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
      await appendAll(
        log,
        "a",
        numbers(5).map((text) => event(text)),
        { events: 3 },
      )
      assertEqual((await readPage(log, "a")).head, await log.head("a"), "the page's head")
    }),

    check("a fold holds the latest value of each key and the members, and nothing else", async (log) => {
      const entries = await appendAll(log, "a", mixed())
      assertEqual(await readAll(log, "a", { select: "fold" }), foldOf(entries), "the fold")
      const through = entries[6]?.offset ?? 0
      assertEqual(
        await readAll(log, "a", { select: "fold", through }),
        foldOf(entries).filter(({ offset }) => offset <= through),
        "the part of the fold that lies at or below an offset",
      )
    }),

    check("a key that is written again while a fold is read shows up further behind", async (log) => {
      const entries = await appendAll(
        log,
        "a",
        ["a", "b", "c", "d"].map((key) => set(key, "old")),
      )
      const first = await readPage(log, "a", { select: "fold", entriesMax: 2 })
      assertEqual(first.entries, entries.slice(0, 2), "the first page")
      await appendAll(log, "a", [set("c", "new"), set("a", "newer")])
      const rest = await readAll(log, "a", { select: "fold", after: first.next })
      assertEqual(
        rest.map(({ key, body }) => [key, new TextDecoder().decode(body)]),
        [
          ["d", "old"],
          ["c", "new"],
          ["a", "newer"],
        ],
        "the rest",
      )
    }),

    check("what was appended is read at once, by those who saw the append resolve", async (log) => {
      for (const text of numbers(20)) {
        const { position } = await append(log, "a", event(text))
        const page = await readPage(log, "a", { after: position.offset - 1 })
        assertEqual(textsOf(page.entries), [text], "what was just appended")
      }
    }),

    check("offsetOfLast yields the last events, whatever state lies between", async (log) => {
      const entries = await appendAll(log, "a", [
        event("1"),
        set("k", "x"),
        event("2"),
        join("m"),
        event("3"),
        set("k", "y"),
      ])
      assertEqual(entries.length, 6, "entries")
      for (const count of [1, 2, 3]) {
        const after = await log.offsetOfLast("a", count)
        const events = (await readAll(log, "a", { after })).filter(({ kind }) => kind === "event")
        assertEqual(textsOf(events), numbers(3, 1).slice(-count), `the last ${count}`)
      }
      assertEqual(await log.offsetOfLast("a", 4), 0, "more than there are")
      assertEqual(await log.offsetOfLast("a", Infinity), 0, "all")
      const after = await log.offsetOfLast("a", 0)
      const none = (await readAll(log, "a", { after })).filter(({ kind }) => kind === "event")
      assertEqual(none, [], "the last 0")
    }),

    check("offsetOfLast never lies below the floor", async (log) => {
      await appendAll(
        log,
        "a",
        numbers(20).map((text) => event(text)),
        { events: 5 },
      )
      const { floor } = await log.head("a")
      for (const count of [5, 6, 100, Infinity]) {
        assertEqual(await log.offsetOfLast("a", count), floor, `the last ${count}`)
      }
      const after = await log.offsetOfLast("a", 4)
      assertEqual(textsOf(await readAll(log, "a", { after })), numbers(4, 16), "the last 4")
    }),
  ]
}

/** Some of everything: what is superseded, deleted, and stays. */
function mixed() {
  return [
    event("1"),
    set("a", "old"),
    join("ada"),
    set("b", "b"),
    event("2"),
    set("a", "new"),
    join("bob"),
    remove("b"),
    left("ada"),
    event("3"),
    join("ada", "again"),
    set("c", "c"),
    remove("c"),
    set("a", "b's name", "b"),
  ]
}

type Entries = Awaited<ReturnType<typeof appendAll>>

/** What is left of entries once later ones of the same key have taken their place. */
function liveOf(entries: Entries): Entries {
  return entries.filter(
    (entry, index) =>
      entry.kind === "event" ||
      !entries.some((later, at) => at > index && identity(later) === identity(entry)),
  )
}

function foldOf(entries: Entries): Entries {
  return liveOf(entries).filter(({ kind }) => kind === "set" || kind === "join")
}

function identity({ kind, name, key }: Entries[number]): string {
  if (kind === "event") return "event"
  return JSON.stringify([kind === "join" || kind === "left" ? "presence" : "state", name, key])
}
