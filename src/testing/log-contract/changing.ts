import { assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, create, FACTS, fact, KEYS, put, remove, textsOf } from "./operations.ts"
import { fold, readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

/** Puts and removes without conditions, and the entries that they become. */
export function changingChecks(check: Check): LogCheck[] {
  return [
    check("a put reads as it was made, with the offset at which its key was created", async (log) => {
      const { all } = recorder(log, "a")
      const [first, , second, third] = await all([
        put("k", "1", { holder: "node 1" }),
        put("l", "2"),
        put("l", "3", { at: AT + 0.5, holder: "node 2" }),
        put("k", "4", { at: AT + 7 }),
      ])
      assertEqual(await readAll(log, "a"), [second, third], "the latest entry of each key")
      assertEqual(third?.created, first?.offset, "the offset at which the key was created")
    }),

    check("a put without a key has its offset as key, in decimal", async (log) => {
      const { all, one } = recorder(log, "a")
      const [, first, second] = await all([fact(), create("1"), create("2")])
      const keys = [first, second].map((entry) => entry?.key)
      assertEqual(keys, [String(first?.offset), String(second?.offset)], "the keys")
      const changed = await one(put(first?.key ?? "", "3"))
      assertEqual(await fold(log, "a"), [second, changed], "the fold when the first has changed")
      assertEqual(changed.created, first?.offset, "the offset of creation")
    }),

    check("a removed key is gone from the fold, and its removal is an entry", async (log) => {
      const { all } = recorder(log, "a")
      const body = Uint8Array.of(1, 2, 3)
      const entries = await all([
        put("k", "1", { holder: "n" }),
        put("l", "2"),
        remove("k", { body, at: AT + 1 }),
      ])
      assertEqual(await fold(log, "a"), [entries[1]], "the fold")
      assertEqual(await readAll(log, "a"), entries.slice(1), "all")
      assertEqual(entries[2]?.created, entries[0]?.offset, "the offset at which the removed key was created")
      assertEqual(await log.find("a", KEYS, "k"), entries[2], "the latest entry of the key")
    }),

    check("a key that was never there can be removed", async (log) => {
      const removal = await recorder(log, "a").one(remove("k"))
      assertEqual(await readAll(log, "a"), [removal], "all")
      assertEqual(await fold(log, "a"), [], "the fold")
    }),

    check("a key that is put after its removal is created anew", async (log) => {
      const entries = await recorder(log, "a").all([put("k", "1"), put("l", "2"), remove("k"), put("k", "3")])
      assertEqual(await readAll(log, "a"), [entries[1], entries[3]], "all")
      assertEqual(entries[3]?.created, entries[3]?.offset, "the offset of creation")
    }),

    check("find yields the latest entry of a key, and nothing of what was never there", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([put("k", "1"), put("k", "2"), fact("k", { key: "k" })])
      assertEqual(await log.find("a", KEYS, "k"), entries[1], "a key with a value")
      assertEqual(await log.find("a", KEYS, "other"), undefined, "a key that was never there")
      assertEqual(await log.find("a", "others", "k"), undefined, "a collection that was never there")
      assertEqual(await log.find("b", KEYS, "k"), undefined, "a channel that was never used")
    }),

    check("facts and keys of one channel have one order", async (log) => {
      const operations = [fact("1"), put("k", "2"), fact("3"), create("4"), fact("5"), put("l", "6")]
      const entries = await recorder(log, "a").all(operations)
      assertEqual(await readAll(log, "a"), entries, "all")
      const facts = await readAll(log, "a", { collections: [FACTS] })
      assertEqual(textsOf(facts), ["1", "3", "5"], "the facts")
    }),

    check("the channel's other keys do not change with one", async (log) => {
      const { all } = recorder(log, "a")
      const others = await all([put("a", "1"), put("b", "2"), put("k", "3", { collection: "others" })])
      await append(log, "a", put("k", "4"))
      await append(log, "a", remove("k"))
      assertEqual((await readAll(log, "a")).slice(0, 3), others, "the others")
    }),
  ]
}
