import { assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { suffix, whole } from "./grown-values.ts"
import { AT, bytesOf, create, extend, fact, KEYS, numbers, put, remove, textOf } from "./operations.ts"
import { fold, readAll, readBackAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function extendingChecks(check: Check): LogCheck[] {
  return [...suffixChecks(check), ...wholeChecks(check)]
}

function suffixChecks(check: Check): LogCheck[] {
  return [
    check("an extended key is one entry, at its latest offset", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([
        put("k", "a"),
        extend("k", "b"),
        fact("x"),
        extend("k", "c", { at: AT + 5 }),
      ])
      assertEqual(await readAll(log, "a"), [entries[2], whole(entries[3], "abc")], "all")
      assertEqual(entries[3]?.created, entries[0]?.offset, "the offset of creation")
    }),

    check("a cursor inside an extended value reads what was added behind it", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([
        put("k", "a"),
        fact("x"),
        extend("k", "bc"),
        extend("k", ""),
        extend("k", "d"),
      ])
      const last = entries[4]
      const expected = [
        [whole(last, "abcd"), entries[1]],
        [suffix(last, "bcd"), entries[1]],
        [suffix(last, "bcd")],
        [suffix(last, "d")],
        [suffix(last, "d")],
        [],
      ]
      for (const [index, reads] of expected.entries()) {
        const after = index === 0 ? 0 : (entries[index - 1]?.offset ?? 0)
        const sorted = [...reads].sort((a, b) => (a?.offset ?? 0) - (b?.offset ?? 0))
        assertEqual(await readAll(log, "a", { after }), sorted, `behind entry ${index}`)
      }
    }),

    check("a put starts the value anew: a cursor behind the old one reads it whole", async (log) => {
      const { all } = recorder(log, "a")
      const entries = await all([put("k", "a"), extend("k", "b"), put("k", "c"), extend("k", "d")])
      const [first, second, third, last] = entries
      for (const entry of [first, second]) {
        const after = entry?.offset ?? 0
        assertEqual(await readAll(log, "a", { after }), [whole(last, "cd")], `behind ${textOf(entry)}`)
      }
      const after = third?.offset ?? 0
      assertEqual(await readAll(log, "a", { after }), [suffix(last, "d")], "behind the second put")
    }),

    check("a value of many pieces is read from each of them", async (log) => {
      const { one, all } = recorder(log, "a")
      const pieces = numbers(100)
      const { key } = await one(create(""))
      const extended = await all(pieces.map((text) => extend(key, text)))
      for (const [index, { offset }] of extended.entries()) {
        const rest = pieces.slice(index + 1).join("")
        const expected = rest === "" ? [] : [suffix(extended.at(-1), rest)]
        assertEqual(await readAll(log, "a", { after: offset }), expected, `behind piece ${index}`)
      }
      assertEqual(await fold(log, "a"), [whole(extended.at(-1), pieces.join(""))], "the fold")
    }),

    check("pieces may be any bytes, also parts of a character", async (log) => {
      const bytes = bytesOf("日本語")
      const { all } = recorder(log, "a")
      const pieces = [bytes.subarray(0, 1), bytes.subarray(1, 5), Uint8Array.of(0, 255), bytes.subarray(5)]
      const entries = await all([put("k", ""), ...pieces.map((body) => extend("k", "", { body }))])
      const [read] = await readAll(log, "a", { after: entries[1]?.offset ?? 0 })
      const body = Uint8Array.from(pieces.slice(1).flatMap((piece) => [...piece]))
      assertEqual(read, { ...entries[4], body }, "what was added")
    }),
  ]
}

function wholeChecks(check: Check): LogCheck[] {
  return [
    check("a fold, a find and a backward page have the whole of an extended value", async (log) => {
      const entries = await recorder(log, "a").all([put("k", "a"), extend("k", "b"), extend("k", "c")])
      const expected = whole(entries[2], "abc")
      for (const after of [0, entries[0]?.offset ?? 0, entries[1]?.offset ?? 0]) {
        assertEqual(await fold(log, "a", { after }), [expected], `the fold behind ${after}`)
      }
      assertEqual(await log.find("a", KEYS, "k"), expected, "the find")
      assertEqual(await readBackAll(log, "a", { collection: KEYS }), [expected], "the backward page")
    }),

    check("an extend is refused without a value, and changes nothing", async (log) => {
      const { all, one } = recorder(log, "a")
      const never = await append(log, "a", extend("k", "x"))
      assertEqual([never.status, never.position.offset], ["refused", 0], "of a key that was never there")
      const [, removal] = await all([put("k", "1"), remove("k")])
      const head = await log.head("a")
      const gone = await append(log, "a", extend("k", "x"))
      assertEqual(gone.status, "refused", "the outcome for a key that was removed")
      assertEqual(gone.position, { epoch: head.epoch, offset: removal?.offset }, "its position")
      assertEqual(await log.head("a"), head, "the head")
      assertEqual(await readAll(log, "a"), [removal], "all")
      await one(put("k", "2"))
      const extended = await one(extend("k", "3"))
      assertEqual(await fold(log, "a"), [whole(extended, "23")], "the fold of a new value")
    }),

    check("an extend leaves holder and version as they are", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1", { holder: "node" }), { condition: { version: 7 } })
      const extended = await one(extend("k", "2"))
      const expected = { ...whole(extended, "12"), holder: "node", version: 7 }
      assertEqual(await fold(log, "a"), [expected], "the fold")
    }),
  ]
}
