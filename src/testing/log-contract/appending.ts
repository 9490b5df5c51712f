import { isPosition } from "../../protocol/position.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, create, extend, fact, keep, numbers, offsetsOf, put, remove, textsOf } from "./operations.ts"
import { readAll, readPage } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function appendingChecks(check: Check): LogCheck[] {
  return [
    check("an append returns an offset of the channel's epoch, and offsets rise", async (log) => {
      let before = 0
      for (const text of numbers(20)) {
        const { status, position, version } = await append(log, "a", fact(text))
        assert(isPosition(position), "an append resolves with a position")
        assertEqual([status, version], ["appended", undefined], "status and version")
        assert(position.offset > before, `offset ${position.offset} follows ${before}`)
        assertEqual(position.epoch, (await log.head("a")).epoch, "the position's epoch")
        before = position.offset
      }
    }),

    check("a fact reads as it was appended, and its label need not be unique", async (log) => {
      const entries = await recorder(log, "a").all([
        fact("hello", { at: AT + 1 }),
        fact("", { key: "", at: 0 }),
        fact("again", { at: AT + 0.5 }),
        fact("other", { key: "left\0over", collection: "others" }),
      ])
      assertEqual(await readAll(log, "a"), entries, "what was appended")
    }),

    check("bodies hold any byte, and may be large", async (log) => {
      const every = Uint8Array.from({ length: 1024 }, (_, index) => (index * 7) & 0xff)
      const large = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => (index * index) & 0xff)
      const bodies = [every, large, every.subarray(300, 311)]
      const { all } = recorder(log, "a")
      const entries = [
        ...(await all(bodies.map((body) => fact("", { body })))),
        ...(await all(bodies.map((body, index) => put(`${index}`, "", { body })))),
        await all([remove("gone", { body: every })]).then(([entry]) => entry),
      ]
      assertEqual(await readAll(log, "a"), entries, "what was appended")
    }),

    check("operations that are called one after another have offsets in that order", async (log) => {
      const kinds = [
        (text: string) => fact(text),
        (text: string) => create(text),
        (text: string) => fact(text, { collection: "others" }),
        (text: string) => put(`key ${text}`, text),
      ]
      const outcomes = await Promise.all(
        numbers(200).map((text, index) => append(log, "a", (kinds[index % 4] as (typeof kinds)[0])(text))),
      )
      const offsets = outcomes.map(({ position }) => position.offset)
      assertEqual(offsetsOf(await readAll(log, "a")), offsets, "offsets in the order of the calls")
    }),

    check("operations on one key that are called at once are carried out in that order", async (log) => {
      const put1 = put("k", "")
      await Promise.all(
        [put1, ...numbers(50).map((text) => extend("k", text))].map((one) => append(log, "a", one)),
      )
      assertEqual(textsOf(await readAll(log, "a")), [numbers(50).join("")], "the value")
    }),

    check("many publishers to several channels each find their entries in order", async (log) => {
      const channels = ["a", "b", "c"]
      await Promise.all(
        numbers(15).map(async (publisher, index) => {
          const channel = channels[index % 3] as string
          for (const count of numbers(10)) await append(log, channel, fact(`${publisher} ${count}`))
        }),
      )
      for (const [index, channel] of channels.entries()) {
        const texts = textsOf(await readAll(log, channel))
        assertEqual(texts.length, 50, `how many are in ${channel}`)
        for (const publisher of numbers(15).filter((_, other) => other % 3 === index)) {
          const own = texts.filter((text) => text.startsWith(`${publisher} `))
          const expected = numbers(10).map((count) => `${publisher} ${count}`)
          assertEqual(own, expected, `what ${publisher} appended`)
        }
      }
    }),

    check("a channel that was never used has a head and can be read", async (log) => {
      const head = await log.head("unused")
      assert(isPosition({ epoch: head.epoch, offset: 0 }), "its epoch can stand in a position")
      assertEqual(head, { epoch: head.epoch, top: 0, base: 0, floors: {} }, "its head")
      for (const select of ["all", "fold"] as const) {
        const page = await readPage(log, "unused", { select })
        assertEqual(page, { head, entries: [], next: 0 }, `its page, ${select}`)
      }
      const back = await log.readBack("unused", {
        collection: "any",
        before: Number.MAX_SAFE_INTEGER,
        entriesMax: 10,
        bytesMax: 10,
      })
      assertEqual(back, { head, entries: [], before: undefined }, "its backward page")
      assertEqual(await log.find("unused", "any", "key"), undefined, "its find")
      assertEqual(await log.offsetOfLast("unused", "any", 10), 0, "its offsetOfLast")
      await log.trim("unused", { any: keep({ entries: 0 }) }, AT)
      assertEqual(await log.head("unused"), head, "its head after a trim")
    }),

    check("the head follows the entries, and the epoch stays", async (log) => {
      const { epoch } = await log.head("a")
      const { one } = recorder(log, "a")
      for (const operation of [fact("1"), put("k", "2"), extend("k", "3"), remove("k"), create("4")]) {
        const { offset } = await one(operation)
        assertEqual(await log.head("a"), { epoch, top: offset, base: 0, floors: {} }, "the head")
      }
    }),

    check("an entry can be read once its append has resolved", async (log) => {
      for (const text of numbers(20)) {
        const { position } = await append(log, "a", fact(text))
        const page = await readPage(log, "a", { after: position.offset - 1 })
        assertEqual(textsOf(page.entries), [text], "what was just appended")
      }
    }),
  ]
}
