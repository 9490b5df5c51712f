import { assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, FACTS, fact, keep, keepAll, numbers } from "./operations.ts"
import { readAll } from "./pages.ts"
import { recorder } from "./recorder.ts"

export function retainingFactsChecks(check: Check): LogCheck[] {
  return [
    check("facts are kept by count, and the floor is the last that was trimmed", async (log) => {
      const { all } = recorder(log, "a", { retention: keep({ entries: 10 }) })
      const entries = await all(numbers(50).map((text) => fact(text)))
      assertEqual(await readAll(log, "a"), entries.slice(40), "the last ten")
      const { top, base, floors } = await log.head("a")
      assertEqual([top, base], [entries[49]?.offset, 0], "top and base")
      assertEqual(floors, { [FACTS]: entries[39]?.offset }, "the floors")
    }),

    check("facts are kept by bytes of their bodies", async (log) => {
      const { all } = recorder(log, "a", { retention: keep({ bytes: 1_050 }) })
      const entries = await all(numbers(30).map(() => fact("x".repeat(100))))
      assertEqual(await readAll(log, "a"), entries.slice(20), "the last ten of 100 bytes")
      assertEqual((await log.head("a")).floors, { [FACTS]: entries[19]?.offset }, "the floors")
    }),

    check("an append trims the facts that are too old by its time", async (log) => {
      const { all } = recorder(log, "a", { retention: keep({ forMs: 3_500 }) })
      const entries = await all(numbers(10).map((text, index) => fact(text, { at: AT + index * 1_000 })))
      assertEqual(await readAll(log, "a"), entries.slice(6), "what is not older than 3.5 s")
      assertEqual((await log.head("a")).floors, { [FACTS]: entries[5]?.offset }, "the floors")
    }),

    check("trim removes what has outlived its time, though nothing is appended", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all(numbers(10).map((text, index) => fact(text, { at: AT + index * 1_000 })))
      const retention = { [FACTS]: keep({ forMs: 3_500 }) }
      await log.trim("a", retention, AT + 9_000)
      assertEqual(await readAll(log, "a"), entries.slice(6), "what is not older than 3.5 s")
      assertEqual((await log.head("a")).floors, { [FACTS]: entries[5]?.offset }, "the floors")
    }),

    check("trim removes what is beyond counts and bytes that have become lower", async (log) => {
      const entries = await recorder(log, "a").all(numbers(10).map(() => fact("x".repeat(10))))
      await log.trim("a", { [FACTS]: keep({ entries: 7 }) }, AT)
      assertEqual(await readAll(log, "a"), entries.slice(3), "the last seven")
      await log.trim("a", { [FACTS]: keep({ bytes: 45 }) }, AT)
      assertEqual(await readAll(log, "a"), entries.slice(6), "the last four of ten bytes")
    }),

    check("trim leaves the collections alone that it does not name", async (log) => {
      const entries = await recorder(log, "a").all([fact("1"), fact("2", { collection: "others" })])
      await log.trim("a", { others: keep({ entries: 0 }) }, AT + 1e9)
      assertEqual(await readAll(log, "a"), entries.slice(0, 1), "what is left")
      assertEqual((await log.head("a")).floors, { others: entries[1]?.offset }, "the floors")
    }),

    check("without limits nothing is trimmed", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all(
        numbers(300).map((text, index) => fact(text, { at: AT + index * 86_400_000 })),
      )
      await log.trim("a", { [FACTS]: keepAll }, AT + 1e12)
      assertEqual(await readAll(log, "a"), entries, "everything")
      assertEqual((await log.head("a")).floors, {}, "the floors")
    }),

    check("a collection may keep no facts at all", async (log) => {
      const { one } = recorder(log, "a")
      for (const text of ["1", "2"]) {
        const { offset } = await one(fact(text), { retention: keep({ entries: 0 }) })
        const { top, base, floors } = await log.head("a")
        assertEqual([top, Math.max(base, floors[FACTS] ?? 0)], [offset, offset], "top, and what was lost")
        assertEqual(await readAll(log, "a"), [], "what is left")
      }
    }),

    check("collections of facts have their own retention and floor", async (log) => {
      const { one } = recorder(log, "a")
      const few = []
      const many = []
      for (const text of numbers(20)) {
        few.push(await one(fact(text, { collection: "few" }), { retention: keep({ entries: 2 }) }))
        many.push(await one(fact(text, { collection: "many" }), { retention: keep({ bytes: 1_000 }) }))
      }
      const read = [...few.slice(18), ...many].sort((a, b) => a.offset - b.offset)
      assertEqual(await readAll(log, "a"), read, "what is left")
      assertEqual((await log.head("a")).floors, { few: few[17]?.offset }, "the floors")
    }),
  ]
}
