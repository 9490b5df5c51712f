import { assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, extend, fact, KEYS, keep, numbers, put, remove, textsOf } from "./operations.ts"
import { fold, readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

/** Compare-and-set: changes that are made only while the key's latest entry is the expected one. */
export function comparingChecks(check: Check): LogCheck[] {
  return [
    check("a change of the expected entry is made", async (log) => {
      const { one, all } = recorder(log, "a")
      await all([put("other", "1"), put("k", "2"), fact("between")])
      const { offset: first } = (await log.find("a", KEYS, "k")) ?? { offset: 0 }
      const second = await one(put("k", "3"), { condition: { latest: first } })
      const third = await one(extend("k", "4"), { condition: { latest: second.offset } })
      const removal = await one(remove("k"), { condition: { latest: third.offset } })
      assertEqual((await readAll(log, "a")).at(-1), removal, "the last entry")
    }),

    check("a change of another entry than the latest is refused, and nothing happens", async (log) => {
      const { all } = recorder(log, "a")
      const [old, , latest] = await all([put("k", "1"), fact("between"), put("k", "2")])
      const head = await log.head("a")
      for (const operation of [
        put("k", "3"),
        extend("k", "3"),
        remove("k"),
        put("k", "2", { quiet: true }),
      ]) {
        const outcome = await append(log, "a", operation, { condition: { latest: old?.offset ?? 0 } })
        const position = { epoch: head.epoch, offset: latest?.offset }
        assertEqual(outcome, { status: "refused", position }, `the outcome of ${operation.operation}`)
      }
      assertEqual(await log.head("a"), head, "the head")
      assertEqual(await fold(log, "a"), [latest], "the fold")
    }),

    check("an extend is a change like any other: it moves the latest entry", async (log) => {
      const { one } = recorder(log, "a")
      const first = await one(put("k", "1"))
      const extended = await one(extend("k", "2"))
      const late = await append(log, "a", put("k", "3"), { condition: { latest: first.offset } })
      assertEqual([late.status, late.position.offset], ["refused", extended.offset], "the outcome")
    }),

    check("a remembered removal is the latest entry of its key", async (log) => {
      const { one } = recorder(log, "a")
      const value = await one(put("k", "1"))
      const removal = await one(remove("k"))
      for (const latest of [value.offset, 0]) {
        const late = await append(log, "a", put("k", "2"), { condition: { latest } })
        assertEqual(
          [late.status, late.position.offset],
          ["refused", removal.offset],
          `the outcome for ${latest}`,
        )
      }
      const next = await one(put("k", "3"), { condition: { latest: removal.offset } })
      assertEqual(await readAll(log, "a"), [next], "all")
    }),

    check("a key without an entry is expected as 0, and as nothing else", async (log) => {
      const { one, all } = recorder(log, "a")
      await all([put("k", "1", { collection: "others" }), fact("x", { key: "k" })])
      const wrong = await append(log, "a", put("k", "2"), { condition: { latest: 1 } })
      assertEqual([wrong.status, wrong.position.offset], ["refused", 0], "the outcome of a wrong one")
      const right = await one(put("k", "3"), { condition: { latest: 0 } })
      const again = await append(log, "a", put("k", "4"), { condition: { latest: 0 } })
      assertEqual([again.status, again.position.offset], ["refused", right.offset], "the outcome of another")
      await recorder(log, "unused").one(put("k", "5"), { condition: { latest: 0 } })
      assertEqual(textsOf(await fold(log, "unused")), ["5"], "the first value of a channel")
    }),

    check("a key whose removal was forgotten is expected as 0", async (log) => {
      const { all, one } = recorder(log, "a")
      const retention = keep({ removalsForMs: 1_000 })
      const [, , removal] = await all([put("l"), put("k"), remove("k")])
      await log.trim("a", { [KEYS]: retention }, AT + 2_000)
      const refused = await append(log, "a", put("k", "x"), { condition: { latest: removal?.offset ?? 0 } })
      assertEqual([refused.status, refused.position.offset], ["refused", 0], "the outcome of another")
      await one(put("k", "new"), { condition: { latest: 0 } })
    }),

    check("of changes of one entry that are asked for at once, one is made", async (log) => {
      const { offset: latest } = await recorder(log, "a").one(put("k", "before"))
      const outcomes = await Promise.all(
        numbers(20).map((text) => append(log, "a", put("k", text), { condition: { latest } })),
      )
      const made = outcomes.filter(({ status }) => status === "appended")
      assertEqual(made.length, 1, "how many were made")
      assertEqual(new Set(outcomes.map(({ position }) => position.offset)).size, 1, "how many offsets")
      assertEqual(textsOf(await fold(log, "a")), ["0"], "the value")
    }),

    check("conditions see the operations that were called before", async (log) => {
      const { offset } = await recorder(log, "a").one(fact())
      const outcomes = await Promise.all([
        append(log, "a", put("k", "1"), { condition: { latest: 0 } }),
        append(log, "a", put("k", "2"), { condition: { latest: 0 } }),
        append(log, "a", remove("k")),
        append(log, "a", extend("k", "3")),
        append(log, "a", put("k", "4"), { condition: { latest: offset + 1 } }),
      ])
      const statuses = outcomes.map(({ status }) => status)
      assertEqual(statuses, ["appended", "refused", "appended", "refused", "refused"], "the outcomes")
    }),
  ]
}
