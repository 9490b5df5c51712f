import type { Entry } from "../../log/entry.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import {
  AT,
  bytesOf,
  create,
  extend,
  fact,
  KEYS,
  numbers,
  put,
  remove,
  textOf,
  textsOf,
} from "./operations.ts"
import { fold, readAll, readBackAll, readPage } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function extendingChecks(check: Check): LogCheck[] {
  return [...suffixChecks(check), ...wholeChecks(check)]
}

/** The value as a reader sees it that has none of it. */
function whole(latest: Entry | undefined, text: string): Entry {
  return { ...(latest as Entry), operation: "put", body: bytesOf(text) }
}

/** What a reader sees that has the value up to some piece. */
function suffix(latest: Entry | undefined, text: string): Entry {
  return { ...(latest as Entry), operation: "extend", body: bytesOf(text) }
}

/** What a reader has of each key when it has read these entries. */
function valuesOf(entries: readonly Entry[]): Map<string, string> {
  const values = new Map<string, string>()
  for (const entry of entries) {
    const { key, operation } = entry
    if (operation === "put") values.set(key, textOf(entry) ?? "")
    if (operation === "extend") values.set(key, `${values.get(key)}${textOf(entry)}`)
  }
  return values
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
