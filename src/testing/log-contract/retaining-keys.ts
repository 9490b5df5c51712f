import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import {
  AT,
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
} from "./operations.ts"
import { fold, readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function retainingKeysChecks(check: Check): LogCheck[] {
  return [...compactionChecks(check), ...limitChecks(check), ...removalChecks(check)]
}

function compactionChecks(check: Check): LogCheck[] {
  return [
    check("of each key only the latest entry is kept, and that is no loss", async (log) => {
      const { all } = recorder(log, "a")
      const puts = numbers(20).flatMap((text) => [
        put("k", text),
        put("l", text),
        put("k", text, { collection: "c" }),
      ])
      const entries = await all(puts)
      assertEqual(await readAll(log, "a"), entries.slice(-3), "the latest of each")
      assertEqual((await log.head("a")).floors, {}, "the floors")
    }),

    check("many facts raise no floor of keys, and many keys none of facts", async (log) => {
      const { one, all } = recorder(log, "a")
      const retention = keep({ entries: 2, bytes: 100 })
      const kept = await all([put("k", "v"), put("l", "v"), remove("l")])
      const facts = await all(
        numbers(100).map((text) => fact(text)),
        { retention },
      )
      assertEqual((await log.head("a")).floors, { [FACTS]: facts[97]?.offset }, "the floors")
      assertEqual(await readAll(log, "a", { collections: [KEYS] }), [kept[0], kept[2]], "the keys")
      const creates = []
      for (const text of numbers(50))
        creates.push(await one(create(text, { collection: "c" }), { retention }))
      const floors = { [FACTS]: facts[97]?.offset, c: creates[47]?.offset }
      assertEqual((await log.head("a")).floors, floors, "the floors after many keys")
      assertEqual(await readAll(log, "a", { collections: [FACTS] }), facts.slice(98), "the facts")
    }),
  ]
}

function limitChecks(check: Check): LogCheck[] {
  return [
    check("keys are kept by count: the ones created first go, whatever has changed", async (log) => {
      const { all, one } = recorder(log, "a", { retention: keep({ entries: 3 }) })
      const entries = await all([put("a"), put("b"), put("c"), put("a", "changed")])
      assertEqual((await log.head("a")).floors, {}, "the floors when all have room")
      const next = await one(put("d"))
      assertEqual(keysOf(await fold(log, "a")), ["b", "c", "d"], "the keys when the first has gone")
      assertEqual(
        (await log.head("a")).floors,
        { [KEYS]: entries[3]?.offset },
        "its latest offset is the floor",
      )
      await one(put("e"))
      assertEqual(keysOf(await fold(log, "a")), ["c", "d", "e"], "the keys when the second has gone")
      assertEqual((await log.head("a")).floors, { [KEYS]: entries[3]?.offset }, "a floor does not fall")
      assert(next.offset > (entries[3]?.offset ?? 0), "the fourth stands above the floor")
    }),

    check("a removed key makes room for another", async (log) => {
      const { all } = recorder(log, "a", { retention: keep({ entries: 2 }) })
      await all([put("a"), put("b"), remove("a"), put("c")])
      assertEqual(keysOf(await fold(log, "a")), ["b", "c"], "the keys")
      assertEqual((await log.head("a")).floors, {}, "the floors")
    }),

    check("keys are kept by the bytes of their values, with what was added to them", async (log) => {
      const { all, one } = recorder(log, "a", { retention: keep({ bytes: 100 }) })
      const entries = await all([
        put("a", "x".repeat(40)),
        put("b", "x".repeat(40)),
        put("a", "x".repeat(20)),
      ])
      assertEqual(keysOf(await fold(log, "a")), ["b", "a"], "the keys below the limit")
      await one(extend("b", "x".repeat(40)))
      assertEqual(keysOf(await fold(log, "a")), ["a", "b"], "the keys at the limit")
      await one(extend("b", "x"))
      assertEqual(keysOf(await fold(log, "a")), ["b"], "the keys beyond the limit")
      assertEqual((await log.head("a")).floors, { [KEYS]: entries[2]?.offset }, "the floors")
    }),

    check("a value beyond all bytes is not kept, and the floor says so", async (log) => {
      const { one } = recorder(log, "a", { retention: keep({ bytes: 10 }) })
      await one(fact())
      const large = await one(put("k", "x".repeat(11)))
      assertEqual(await fold(log, "a"), [], "the fold")
      assertEqual(await log.find("a", KEYS, "k"), undefined, "the find")
      assertEqual((await log.head("a")).floors, { [KEYS]: large.offset }, "the floors")
      const next = await recorder(log, "a").one(put("k", "small"), { condition: { latest: 0 } })
      assertEqual(await fold(log, "a"), [next], "the fold of the next value")
    }),

    check("keys are kept by their age since creation", async (log) => {
      const { all, one } = recorder(log, "a", { retention: keep({ forMs: 3_500 }) })
      const entries = await all([
        put("a"),
        put("b", "", { at: AT + 2_000 }),
        put("a", "", { at: AT + 3_000 }),
      ])
      assertEqual(keysOf(await fold(log, "a")), ["b", "a"], "the keys that are young enough")
      await one(put("c", "", { at: AT + 4_000 }))
      assertEqual(keysOf(await fold(log, "a")), ["b", "c"], "the keys 4 s after the first")
      assertEqual((await log.head("a")).floors, { [KEYS]: entries[2]?.offset }, "the floors")
      await log.trim("a", { [KEYS]: keep({ forMs: 3_500 }) }, AT + 6_000)
      assertEqual(keysOf(await fold(log, "a")), ["c"], "the keys after a trim, 6 s after the first")
    }),
  ]
}

function removalChecks(check: Check): LogCheck[] {
  return [
    check("a cursor below a removal reads it", async (log) => {
      const entries = await recorder(log, "a").all([
        put("k", "v"),
        put("l", "v"),
        fact("x"),
        remove("k"),
        remove("l"),
      ])
      const after = entries[1]?.offset ?? 0
      assertEqual(await readAll(log, "a", { after }), entries.slice(2), "behind the values")
      assertEqual((await log.head("a")).floors, {}, "the floors")
    }),

    check("however many removals there were, none is lost silently", async (log) => {
      const keys = numbers(2_500)
      const values = await Promise.all(keys.map((key) => append(log, "a", put(key, "v"))))
      const removed = await Promise.all(keys.map((key) => append(log, "a", remove(key))))
      const { top, floors } = await log.head("a")
      const floor = floors[KEYS] ?? 0
      const after = Math.max(floor, values.at(-1)?.position.offset ?? 0)
      const due = removed.map(({ position }) => position.offset).filter((offset) => offset > after)
      assertEqual(offsetsOf(await readAll(log, "a", { after })), due, `the removals behind ${after}`)
      assert(floor <= top, `the floor ${floor} lies above the top ${top}`)
    }),

    check("removals are remembered for their time, then the floor says so", async (log) => {
      const retention = keep({ removalsForMs: 1_000 })
      const { all } = recorder(log, "a", { retention })
      const entries = await all([put("k"), put("l"), remove("k"), remove("l", { at: AT + 700 })])
      await log.trim("a", { [KEYS]: retention }, AT + 900)
      assertEqual(await readAll(log, "a"), entries.slice(2), "the removals of late")
      await log.trim("a", { [KEYS]: retention }, AT + 1_500)
      assertEqual(await readAll(log, "a"), entries.slice(3), "the second removal")
      assertEqual((await log.head("a")).floors, { [KEYS]: entries[2]?.offset }, "the floors")
      assertEqual(await log.find("a", KEYS, "k"), undefined, "the find of a forgotten one")
    }),

    check("an append forgets the removals that are too old by its time", async (log) => {
      const { all } = recorder(log, "a", { retention: keep({ removalsForMs: 1_000 }) })
      const entries = await all([put("k"), remove("k"), put("l", "", { at: AT + 2_000 })])
      assertEqual(await readAll(log, "a"), entries.slice(2), "what is left")
      assertEqual((await log.head("a")).floors, { [KEYS]: entries[1]?.offset }, "the floors")
    }),

    check("values outlive the time of removals, and removals that of values", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([put("k"), remove("l"), put("m", "", { at: AT + 9_000 })])
      await log.trim("a", { [KEYS]: keep({ removalsForMs: 1_000 }) }, AT + 5_000)
      assertEqual(await readAll(log, "a"), [entries[0], entries[2]], "the values")
      const removal = await recorder(log, "b").all([put("k"), remove("l"), put("m", "", { at: AT + 9_000 })])
      await log.trim("b", { [KEYS]: keep({ forMs: 1_000 }) }, AT + 5_000)
      assertEqual(await readAll(log, "b"), removal.slice(1), "the removal and the later value")
    }),
  ]
}
