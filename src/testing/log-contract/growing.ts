import type { Entry } from "../../log/entry.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { suffix, valuesOf, whole } from "./grown-values.ts"
import { extend, fact, numbers, put, textOf, textsOf } from "./operations.ts"
import { fold, readAll, readPage } from "./pages.ts"
import { recorder } from "./recorder.ts"

/** Reads that end while a value goes on growing. */
export function growingChecks(check: Check): LogCheck[] {
  return [
    check("a range that ends inside an extended value has it as it was there", async (log) => {
      const entries = await recorder(log, "a").all([
        fact("x"),
        put("k", "a"),
        extend("k", "b"),
        fact("y"),
        extend("k", "c"),
        extend("k", "d"),
      ])
      const [x, first, second, y, third, last] = entries
      const expected: readonly (readonly [Entry | undefined, Entry | undefined, readonly unknown[]])[] = [
        [undefined, x, [x]],
        [undefined, first, [x, whole(first, "a")]],
        [undefined, second, [x, whole(second, "ab")]],
        [undefined, y, [x, whole(second, "ab"), y]],
        [first, y, [suffix(second, "b"), y]],
        [first, third, [y, suffix(third, "bc")]],
        [second, third, [y, suffix(third, "c")]],
        [second, y, [y]],
        [y, third, [suffix(third, "c")]],
        [third, last, [suffix(last, "d")]],
      ]
      for (const [from, to, read] of expected) {
        const range = { after: from?.offset ?? 0, through: to?.offset ?? 0 }
        assertEqual(await readAll(log, "a", range), read, `behind ${textOf(from)}, through ${textOf(to)}`)
      }
    }),

    check("pages that end inside extended values join up to the whole", async (log) => {
      const { all } = recorder(log, "a")
      const keys = ["a", "b", "c"]
      await all(keys.map((key) => put(key, key)))
      for (const text of numbers(12)) {
        await all([
          fact(text),
          ...keys.filter((_, index) => Number(text) % (index + 2) === 0).map((key) => extend(key, text)),
        ])
      }
      await all([put("b", "anew"), extend("b", "!")])
      const folded = await fold(log, "a")
      for (const entriesMax of [1, 2, 3, 5, 100]) {
        const entries = await readAll(log, "a", { entriesMax })
        const facts = entries.filter(({ operation }) => operation === "append")
        assertEqual(textsOf(facts), numbers(12), `the facts by ${entriesMax}`)
        const values = valuesOf(entries)
        const expected = Object.fromEntries(folded.map((entry) => [entry.key, textOf(entry)]))
        assertEqual(Object.fromEntries(values), expected, `the values by ${entriesMax}`)
      }
    }),

    check("a fold through an offset has extended values as they were there", async (log) => {
      const entries = await recorder(log, "a").all([
        put("k", "a"),
        put("l", "1"),
        extend("k", "b"),
        extend("l", "2"),
        extend("k", "c"),
        put("l", "3"),
        put("m", "4"),
      ])
      const [first, , second, , third, l, m] = entries
      const expected = [
        [first, [whole(first, "a")]],
        [entries[1], [whole(first, "a")]],
        [second, [whole(second, "ab")]],
        [entries[3], [whole(second, "ab")]],
        [third, [whole(third, "abc")]],
        [l, [whole(third, "abc"), l]],
        [m, [whole(third, "abc"), l, m]],
      ] as const
      for (const [to, read] of expected) {
        const through = to?.offset ?? 0
        for (const entriesMax of [1, 10]) {
          assertEqual(await fold(log, "a", { through, entriesMax }), read, `the fold through ${through}`)
        }
      }
      const inside = { after: first?.offset ?? 0, through: entries[3]?.offset ?? 0 }
      assertEqual(await fold(log, "a", inside), [whole(second, "ab")], "the rest of a fold, behind the put")
    }),

    check("a snapshot and what is read behind it are whole while a value grows", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "0"))
      await one(put("other"))
      for (const text of numbers(5, 1)) await one(extend("k", text))
      const { top } = await log.head("a")
      await one(extend("k", "6"))
      const snapshot = await fold(log, "a", { through: top })
      await one(extend("k", "7"))
      const behind = await readAll(log, "a", { after: top })
      assertEqual(valuesOf([...snapshot, ...behind]).get("k"), "01234567", "the value")
    }),

    check("values grow to many bytes, and pages count the bytes that they hold", async (log) => {
      const { all } = recorder(log, "a")
      const piece = "x".repeat(1_000)
      const entries = await all([
        put("k", piece),
        put("l", piece),
        ...numbers(20).flatMap(() => [extend("k", piece), extend("l", piece)]),
      ])
      for (const bytesMax of [1, 3_000, 22_000, 100_000]) {
        const page = await readPage(log, "a", { bytesMax })
        const bytes = page.entries.reduce((sum, { body }) => sum + body.length, 0)
        const most = Math.max(2 * bytesMax, 2_000)
        assert(bytes > 0 && bytes <= most, `${bytes} bytes are not about ${bytesMax}`)
        const read = valuesOf(await readAll(log, "a", { bytesMax }))
        assertEqual([read.get("k"), read.get("l")], [piece.repeat(21), piece.repeat(21)], `by ${bytesMax}`)
      }
      const after = entries[39]?.offset ?? 0
      const rest = await readPage(log, "a", { after, bytesMax: 4_000 })
      assertEqual(
        rest.entries.map(({ body }) => body.length),
        [1_000, 1_000],
        "a page for two pieces",
      )
    }),
  ]
}
