import { assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { fact, once, put, remove, textsOf } from "./operations.ts"
import { fold, readAll, readBackAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

/** Names that a careless encoding would mix up: prefixes of each other, separators, other scripts, the greatest length. */
const CHANNELS = [
  "a",
  "a/b",
  "a/",
  "ab",
  "a%2Fb",
  "A",
  "r:a",
  "a.*.>",
  "__proto__",
  "räume/日本語/🙂",
  "x".repeat(255),
  "x".repeat(254),
]
const COLLECTIONS = ["", "a", "ab", "A", "a:b", "a\0", "ä", "日本語", "7", "c".repeat(200)]
/** Keys may be any text, also what is no valid Unicode. */
const KEYS = [
  "",
  "a",
  "a\0",
  "a\0b",
  "A",
  "ä",
  "a\u0308",
  "日本語",
  "🙂",
  "\ud83d",
  "\ude42",
  "a:b",
  "__proto__",
  " ",
  "7",
  "k".repeat(3_000),
]

export function namingChecks(check: Check): LogCheck[] {
  return [
    check("channels are apart, whatever their names", async (log) => {
      for (const [index, channel] of CHANNELS.entries()) {
        await recorder(log, channel).all([fact(`${index}`), put("key", `${index}`)])
      }
      for (const [index, channel] of CHANNELS.entries()) {
        assertEqual(textsOf(await readAll(log, channel)), [`${index}`, `${index}`], `channel ${channel}`)
      }
    }),

    check("collections are apart, whatever their names", async (log) => {
      const puts = COLLECTIONS.map((collection, index) => put("key", `${index}`, { collection }))
      const entries = await recorder(log, "a").all(puts)
      assertEqual(await readAll(log, "a"), entries, "a value for each collection")
      for (const [index, collection] of COLLECTIONS.entries()) {
        const own = [entries[index]]
        assertEqual(await readAll(log, "a", { collections: [collection] }), own, `the read of ${collection}`)
        assertEqual(await readBackAll(log, "a", { collection }), own, `the backward read of ${collection}`)
        assertEqual(await log.find("a", collection, "key"), own[0], `the find in ${collection}`)
      }
    }),

    check("keys are apart, whatever is in them", async (log) => {
      const { all, one } = recorder(log, "a")
      const entries = await all(KEYS.map((key, index) => put(key, `${index}`)))
      assertEqual(await fold(log, "a"), entries, "a value for each key")
      for (const [index, key] of KEYS.entries()) {
        assertEqual(await log.find("a", "keys", key), entries[index], `the entry of key ${index}`)
      }
      for (const [index, key] of KEYS.entries()) {
        const removal = await one(remove(key))
        assertEqual(await log.find("a", "keys", key), removal, `the removal of key ${index}`)
        assertEqual(await fold(log, "a"), entries.slice(index + 1), `the fold without key ${index}`)
      }
    }),

    check("collections and keys do not run into each other", async (log) => {
      const entries = await recorder(log, "a").all([
        put("c", "1", { collection: "ab" }),
        put("bc", "2", { collection: "a" }),
        put("", "3", { collection: "abc" }),
        put("abc", "4", { collection: "" }),
        put("b:c", "5", { collection: "a" }),
        put("c", "6", { collection: "a:b" }),
      ])
      assertEqual(await fold(log, "a"), entries, "a value for each")
    }),

    check("idempotency keys, holders and labels may be any text", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([
        ...KEYS.map((key) => fact(key.slice(0, 9), { key })),
        ...KEYS.map((holder, index) => put(`${index}`, "", { holder })),
      ])
      assertEqual(await readAll(log, "a"), entries, "labels and holders")
      for (const key of KEYS) await append(log, "b", fact(key.slice(0, 9)), { dedupe: once(key) })
      for (const [index, key] of KEYS.entries()) {
        const { status } = await append(log, "b", fact(key.slice(0, 9)), { dedupe: once(key) })
        assertEqual(status, "duplicate", `the repetition with key ${index}`)
      }
      assertEqual((await readAll(log, "b")).length, KEYS.length, "how many were appended")
    }),
  ]
}
