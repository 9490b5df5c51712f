import type { Entry } from "../../log/entry.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import {
  create,
  extend,
  FACTS,
  fact,
  KEYS,
  keep,
  keysOf,
  numbers,
  offsetsOf,
  put,
  remove,
  textsOf,
} from "./operations.ts"
import { readBackAll, readBackPage } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function readingBackChecks(check: Check): LogCheck[] {
  return [...orderChecks(check), ...pageChecks(check)]
}

function orderChecks(check: Check): LogCheck[] {
  return [
    check("facts are read back from the newest to the oldest", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([
        fact("1"),
        fact("x", { collection: "others" }),
        put("k"),
        fact("2"),
        fact("3"),
      ])
      const facts = [entries[4], entries[3], entries[0]]
      assertEqual(await readBackAll(log, "a", { collection: FACTS }), facts, "all")
      for (const [index, before] of facts.entries()) {
        const rest = await readBackAll(log, "a", { collection: FACTS, before: before?.offset ?? 0 })
        assertEqual(rest, facts.slice(index + 1), `before fact ${index}`)
      }
    }),

    check("keys are read back by creation, whatever has changed since", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([
        put("a", "1"),
        put("b", "2"),
        put("c", "3"),
        put("a", "4"),
        extend("b", "5"),
        remove("c"),
        put("d", "6"),
        put("c", "7"),
      ])
      const read = await readBackAll(log, "a", { collection: KEYS })
      assertEqual(keysOf(read), ["c", "d", "b", "a"], "the keys")
      assertEqual(textsOf(read), ["7", "6", "25", "4"], "the values")
      assertEqual(
        offsetsOf(read),
        [7, 6, 4, 3].map((index) => entries[index]?.offset),
        "the latest offsets",
      )
      const before = entries[1]?.offset ?? 0
      const first = await readBackAll(log, "a", { collection: KEYS, before })
      assertEqual(first, [entries[3]], "what was created before the second")
    }),

    check("removed keys are not read back", async (log) => {
      await recorder(log, "a").all([put("a"), put("b"), remove("a"), remove("never")])
      assertEqual(keysOf(await readBackAll(log, "a", { collection: KEYS })), ["b"], "the keys")
    }),

    check("nothing is read back below the floor", async (log) => {
      const retention = keep({ entries: 5 })
      const { all } = recorder(log, "a", { retention })
      const facts = await all(numbers(20).map((text) => fact(text)))
      const keys = await all(numbers(20).map((text) => create(text)))
      for (const [collection, entries] of [
        [FACTS, facts],
        [KEYS, keys],
      ] as const) {
        const expected = entries.slice(15).reverse()
        assertEqual(await readBackAll(log, "a", { collection }), expected, collection)
        const before = entries[15]?.offset ?? 0
        const { entries: none } = await readBackPage(log, "a", { collection, before })
        assertEqual(none, [], `${collection} that were trimmed`)
      }
    }),
  ]
}

function pageChecks(check: Check): LogCheck[] {
  const fill = async (log: Parameters<typeof recorder>[0]): Promise<Entry[]> => {
    const { all } = recorder(log, "a")
    const entries = await all(numbers(12).map((text) => put(text, "x".repeat(Number(text) * 10))))
    const changed = await all([put("3", "y".repeat(30)), extend("7", "y")])
    const latest = new Map([...entries, ...changed].map((entry) => [entry.key, entry]))
    latest.set("7", {
      ...(changed[1] as Entry),
      operation: "put",
      body: new TextEncoder().encode(`${"x".repeat(70)}y`),
    })
    return numbers(12)
      .reverse()
      .map((key) => latest.get(key) as Entry)
  }
  return [
    check("backward pages of few entries join up to the whole, and end", async (log) => {
      const expected = await fill(log)
      for (const entriesMax of [1, 2, 3, 4, 12, 13]) {
        const page = await readBackPage(log, "a", { collection: KEYS, entriesMax })
        assertEqual(page.entries, expected.slice(0, entriesMax), `the first page by ${entriesMax}`)
        assertEqual(page.before === undefined, entriesMax >= 12, `whether ${entriesMax} are all`)
        assertEqual(
          await readBackAll(log, "a", { collection: KEYS, entriesMax }),
          expected,
          `by ${entriesMax}`,
        )
      }
    }),

    check("a backward page says that it is the last when nothing is left", async (log) => {
      await recorder(log, "a").all([
        ...numbers(6).map((text) => fact(text)),
        ...numbers(6).map((key) => put(key)),
      ])
      for (const collection of [FACTS, KEYS]) {
        let before: number | undefined = Number.MAX_SAFE_INTEGER
        for (const page of ["first", "second", "last"]) {
          const range: { collection: string; before: number; entriesMax: number } = {
            collection,
            before: before ?? 0,
            entriesMax: 2,
          }
          const read = await readBackPage(log, "a", range)
          assertEqual(read.entries.length, 2, `the entries of the ${page} page of ${collection}`)
          assertEqual(read.before === undefined, page === "last", `whether the ${page} page is the last`)
          before = read.before
        }
      }
    }),

    check("backward pages of few bytes join up to the whole, with one entry at least", async (log) => {
      const expected = await fill(log)
      for (const bytesMax of [0, 1, 64, 150, 10_000]) {
        const page = await readBackPage(log, "a", { collection: KEYS, bytesMax })
        assert(page.entries.length > 0, `a page of ${bytesMax} bytes is empty`)
        assertEqual(await readBackAll(log, "a", { collection: KEYS, bytesMax }), expected, `by ${bytesMax}`)
      }
      const { entries } = await readBackPage(log, "a", { collection: KEYS, bytesMax: 250 })
      const bytes = entries.reduce((sum, { body }) => sum + body.length, 0)
      assert(bytes > 110 && bytes <= 400, `${bytes} bytes are not about 250`)
    }),

    check("backward pages are complete and without doubles while entries come", async (log) => {
      const { all } = recorder(log, "a")
      const facts = await all(numbers(10).map((text) => fact(text)))
      const keys = await all(numbers(10).map((text) => put(text, text)))
      let count = 0
      const disturb = async () => {
        await append(log, "a", fact("new"))
        await append(log, "a", put(`new ${count}`, "new"))
        await append(log, "a", put(`${count % 10}`, "changed"))
        await append(log, "a", put(`${9 - (count++ % 10)}`, "changed"))
      }
      const back = await readBackAll(log, "a", { collection: FACTS, entriesMax: 3 }, disturb)
      assertEqual(back, [...facts].reverse(), "the facts that were there")
      const read = await readBackAll(log, "a", { collection: KEYS, entriesMax: 2 }, disturb)
      const old = keysOf(read).filter((key) => !key.startsWith("new"))
      assertEqual(old, keysOf(keys).reverse(), "the keys that were there")
    }),
  ]
}
