import { missed } from "../../log/cursor.ts"
import type { Log } from "../../log/log.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, extend, FACTS, fact, KEYS, keep, numbers, once, put, remove } from "./operations.ts"
import { fold, readAll, readPage } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

const retention = keep({ forMs: 1_000, removalsForMs: 1_000 })
const retentions = { [FACTS]: retention, [KEYS]: retention }

/** Channels in which nothing is left. */
export function forgettingChecks(check: Check): LogCheck[] {
  return [...forgottenChecks(check), ...rememberedChecks(check)]
}

/** Checks that a channel is as one that was never used, above all that it ever had. */
async function assertForgotten(log: Log, channel: string, top: number): Promise<number> {
  const head = await log.head(channel)
  assert(head.base >= top, `the base ${head.base} lies below the offset ${top} that was forgotten`)
  assertEqual([head.top, head.floors], [head.base, {}], "top and floors of a forgotten channel")
  const page = await readPage(log, channel)
  assertEqual(page, { head, entries: [], next: head.top }, "the page")
  assertEqual(await fold(log, channel), [], "the fold")
  const back = await log.readBack(channel, {
    collection: FACTS,
    before: Number.MAX_SAFE_INTEGER,
    entriesMax: 10,
    bytesMax: 10,
  })
  assertEqual([back.entries, back.before], [[], undefined], "the backward page")
  assert((await log.offsetOfLast(channel, FACTS, 9)) >= head.base, "offsetOfLast lies below the base")
  return head.base
}

function forgottenChecks(check: Check): LogCheck[] {
  return [
    check("a channel in which all has outlived its time is forgotten", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([fact("1"), put("k"), extend("k", "x"), put("l"), remove("l"), fact("2")])
      await append(log, "a", fact("3"), { dedupe: { ...once("3"), windowMs: 1_000 } })
      await log.trim("a", retentions, AT + 500)
      assertEqual((await log.head("a")).base, 0, "the base while it is remembered")
      await log.trim("a", retentions, AT + 2_000)
      await assertForgotten(log, "a", entries.at(-1)?.offset ?? 0)
    }),

    check("a channel that has only had removals and refusals is forgotten", async (log) => {
      const { offset } = await recorder(log, "a").one(remove("k"))
      await append(log, "b", extend("k", "x"))
      await log.trim("a", retentions, AT + 2_000)
      await log.trim("b", retentions, AT + 2_000)
      await assertForgotten(log, "a", offset)
      await assertForgotten(log, "b", 0)
    }),

    check("a revived channel goes on above all that it had, and keeps its base", async (log) => {
      let top = 0
      for (const life of numbers(5)) {
        const base = life === "0" ? 0 : await assertForgotten(log, "a", top)
        const entries = await recorder(log, "a").all([fact(life), put("k", life), fact(life)])
        for (const { offset } of entries) assert(offset > top && offset > base, `offset ${offset} is not new`)
        const head = await log.head("a")
        top = entries.at(-1)?.offset ?? 0
        assertEqual([head.top, head.base, head.floors], [top, base, {}], "the head")
        assertEqual(await readAll(log, "a"), entries, "all, from the very beginning")
        await log.trim("a", retentions, AT + 2_000)
      }
    }),

    check("a cursor from before has missed what a forgotten channel had", async (log) => {
      const { all } = recorder(log, "a")
      const cursors = (await all([fact("1"), put("k"), fact("2")])).map(({ offset }) => offset)
      const { epoch } = await log.head("a")
      await log.trim("a", retentions, AT + 2_000)
      const at = (offset: number) => ({ epoch, offset })
      for (const state of ["forgotten", "revived"]) {
        const head = await log.head("a")
        for (const offset of [0, ...cursors.slice(0, -1)]) {
          const expected = { reason: "trimmed", collections: undefined, to: at(head.base) }
          assertEqual(missed(at(offset), head), expected, `what the cursor at ${offset} missed, ${state}`)
        }
        assertEqual(missed(at(head.base), head), undefined, `what a cursor at the base missed, ${state}`)
        await all([fact("new")])
      }
    }),

    check("a forgotten channel has no versions, keys or accounts any more", async (log) => {
      const ada = { name: "ada", keysMax: 1, idempotencyKeysMax: 1 }
      const dedupe = { ...once("key"), windowMs: 1_000 }
      const { one } = recorder(log, "a")
      await one(put("k", "1", { leaseMs: 1e9 }), { condition: { version: 7 }, account: ada, dedupe })
      await one(remove("l"), { condition: { version: 9 } })
      await log.trim("a", retentions, AT + 2_000)
      const next = await recorder(log, "a").one(put("m", "2", { at: AT + 3_000 }), {
        condition: { version: 1, latest: 0 },
        account: ada,
        dedupe: { ...dedupe, fingerprint: "other" },
      })
      assertEqual(await readAll(log, "a"), [next], "all")
    }),

    check("channels are forgotten one by one", async (log) => {
      const kept = await recorder(log, "b").all([fact("1"), put("k"), remove("k")])
      const head = await log.head("b")
      const entries = await recorder(log, "a").all(numbers(50).map((text) => fact(text)))
      await log.trim("a", retentions, AT + 2_000)
      await assertForgotten(log, "a", entries.at(-1)?.offset ?? 0)
      assertEqual(await log.head("b"), head, "the head of another channel")
      assertEqual(await readAll(log, "b"), [kept[0], kept[2]], "what is in another channel")
      const { offset } = await recorder(log, "b").one(fact("2"))
      assert(offset > head.top, `offset ${offset} of another channel follows ${head.top}`)
      assertEqual((await log.head("b")).base, 0, "the base of another channel")
      await log.trim("b", retentions, AT + 2_000)
      await assertForgotten(log, "b", offset)
      await assertForgotten(log, "a", entries.at(-1)?.offset ?? 0)
    }),
  ]
}

function rememberedChecks(check: Check): LogCheck[] {
  return [
    check("a channel with a remembered removal is not forgotten", async (log) => {
      const entries = await recorder(log, "a").all([fact("1"), put("k"), remove("k", { at: AT + 1_500 })])
      await log.trim("a", retentions, AT + 2_000)
      const head = await log.head("a")
      assertEqual([head.base, head.floors], [0, { [FACTS]: entries[0]?.offset }], "base and floors")
      assertEqual(await readAll(log, "a"), entries.slice(2), "all")
    }),

    check("a channel with a remembered idempotency key is not forgotten", async (log) => {
      const dedupe = { ...once("key"), windowMs: 60_000 }
      const first = await append(log, "a", fact("1"), { dedupe })
      await log.trim("a", retentions, AT + 59_000)
      assertEqual((await log.head("a")).base, 0, "the base within the window")
      const again = await append(log, "a", fact("1", { at: AT + 59_000 }), { dedupe })
      assertEqual(again, { status: "duplicate", position: first.position }, "the outcome of a repetition")
      await log.trim("a", retentions, AT + 61_000)
      await assertForgotten(log, "a", first.position.offset)
    }),

    check("a channel with a value is not forgotten, however old", async (log) => {
      const entry = await recorder(log, "a").one(put("k"))
      await log.trim("a", { [KEYS]: keep({ removalsForMs: 0 }) }, AT + 1e12)
      assertEqual(await readAll(log, "a"), [entry], "all")
      assertEqual((await log.head("a")).base, 0, "the base")
    }),

    check("no offset is ever given twice, even if all entries are gone", async (log) => {
      const nothing = keep({ entries: 0, removalsForMs: 0 })
      let before = 0
      for (const text of numbers(5)) {
        const entries = await recorder(log, "a", { retention: nothing }).all([
          fact(text),
          put("k"),
          remove("k"),
        ])
        for (const { offset } of entries) {
          assert(offset > before, `offset ${offset} follows ${before}`)
          before = offset
        }
        await log.trim("a", { [FACTS]: nothing, [KEYS]: nothing }, AT + 1e9)
      }
    }),
  ]
}
