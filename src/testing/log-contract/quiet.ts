import { assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, extend, KEYS, put, remove } from "./operations.ts"
import { fold, readAll, readBackAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

/** Puts that append an entry only if the value is another. */
export function quietChecks(check: Check): LogCheck[] {
  return [
    check("a quiet put of the same value appends nothing", async (log) => {
      const first = await recorder(log, "a").one(put("k", "1"))
      const head = await log.head("a")
      const outcome = await append(log, "a", put("k", "1", { quiet: true, at: AT + 5 }))
      const position = { epoch: head.epoch, offset: first.offset }
      assertEqual(outcome, { status: "unchanged", position }, "the outcome")
      assertEqual(await log.head("a"), head, "the head")
      assertEqual(await readAll(log, "a"), [first], "all")
    }),

    check("a quiet put of the same value changes holder and version where they are read", async (log) => {
      const { one, all } = recorder(log, "a")
      const first = await one(put("k", "1", { holder: "node 1" }), { condition: { version: 5 } })
      await all([put("other", "")])
      const quiet = put("k", "1", { holder: "node 2", quiet: true })
      const { status } = await append(log, "a", quiet, { condition: { version: 9 } })
      assertEqual(status, "unchanged", "the outcome")
      const expected = { ...first, holder: "node 2", version: 9 }
      assertEqual(await log.find("a", KEYS, "k"), expected, "the find")
      assertEqual((await fold(log, "a"))[0], expected, "the fold")
      assertEqual((await readAll(log, "a"))[0], expected, "all")
      assertEqual((await readBackAll(log, "a", { collection: KEYS }))[1], expected, "the backward page")
      const late = await append(log, "a", put("k", "2"), { condition: { version: 9 } })
      assertEqual([late.status, late.version], ["refused", 10], "the outcome of a late put")
      await append(log, "a", put("k", "1", { quiet: true }))
      const without = await log.find("a", KEYS, "k")
      assertEqual([without?.holder, without?.version], ["", 9], "holder and version after one without either")
    }),

    check("a quiet put of another value appends an entry", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1"))
      const second = await one(put("k", "2", { quiet: true, holder: "node" }))
      const third = await one(put("k", "", { quiet: true }))
      assertEqual(await readAll(log, "a"), [third], "all")
      assertEqual(third.created < second.offset, true, "whether the key is still the same")
    }),

    check("a quiet put of a key without a value appends an entry", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "", { quiet: true }))
      await one(remove("k"))
      const anew = await one(put("k", "", { quiet: true }))
      assertEqual(await readAll(log, "a"), [anew], "all")
    }),

    check("a quiet put is compared with the whole of an extended value", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1"))
      const extended = await one(extend("k", "2"))
      const same = await append(log, "a", put("k", "12", { quiet: true }))
      assertEqual(
        [same.status, same.position.offset],
        ["unchanged", extended.offset],
        "the outcome of the whole",
      )
      const read = await readAll(log, "a", { after: extended.offset - 1 })
      assertEqual(read, [extended], "what a cursor inside the value reads")
      const last = await one(put("k", "2", { quiet: true }))
      assertEqual(await fold(log, "a"), [last], "the fold after the last piece alone was put")
    }),

    check("a put that is not quiet appends an entry, even of the same value", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([put("k", "1"), put("k", "1"), put("k", "1", { quiet: false })])
      assertEqual(await readAll(log, "a"), entries.slice(2), "all")
    }),
  ]
}
