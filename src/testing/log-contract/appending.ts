import { isPosition } from "../../protocol/position.ts"
import { assert, assertEqual } from "./assert.ts"
import {
  AT,
  append,
  appendAll,
  type Check,
  event,
  type LogCheck,
  numbers,
  offsetsOf,
  readAll,
  readPage,
  set,
  textsOf,
} from "./fixture.ts"

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
  "räume/日本語/🙂",
  "x".repeat(255),
  "x".repeat(254),
]
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
  " ",
  "k".repeat(3_000),
]

export function appendingChecks(check: Check): LogCheck[] {
  return [
    check("an append gives the entry an offset of the channel's epoch, and offsets rise", async (log) => {
      let before = 0
      for (const text of numbers(20)) {
        const { position, duplicate } = await append(log, "a", event(text))
        assert(isPosition(position), "an append resolves with a position")
        assertEqual(duplicate, false, "a first append's `duplicate`")
        assert(position.offset > before, `offset ${position.offset} follows ${before}`)
        assertEqual(position.epoch, (await log.head("a")).epoch, "the position's epoch")
        before = position.offset
      }
    }),

    check("an entry reads as it was appended", async (log) => {
      const drafts = [
        event("hello", AT + 1),
        set("key", "value", "name"),
        { kind: "event", name: "", key: "", body: new Uint8Array(0), at: 0 },
        { kind: "join", name: "", key: "member", body: Uint8Array.of(0xc0), at: AT + 0.5 },
      ] as const
      const entries = await appendAll(log, "a", drafts)
      assertEqual(await readAll(log, "a"), entries, "what was appended")
    }),

    check("bodies hold any byte, and may be large", async (log) => {
      const every = Uint8Array.from({ length: 1024 }, (_, index) => (index * 7) & 0xff)
      const large = Uint8Array.from({ length: 1024 * 1024 }, (_, index) => (index * index) & 0xff)
      const drafts = [every, large, every.subarray(300, 311)].map((body) => ({ ...event(), body }))
      const entries = await appendAll(log, "a", drafts)
      assertEqual(await readAll(log, "a"), entries, "what was appended")
    }),

    check("channels are apart, whatever their names", async (log) => {
      for (const [index, channel] of CHANNELS.entries()) {
        await appendAll(log, channel, [event(`${index}`), set("key", `${index}`)])
      }
      for (const [index, channel] of CHANNELS.entries()) {
        assertEqual(textsOf(await readAll(log, channel)), [`${index}`, `${index}`], `channel ${channel}`)
      }
    }),

    check("keys are apart, whatever is in them", async (log) => {
      const entries = await appendAll(
        log,
        "a",
        KEYS.map((key, index) => set(key, `${index}`)),
      )
      assertEqual(await readAll(log, "a", { select: "fold" }), entries, "a value for each key")
    }),

    check("names and keys of state do not run into each other, nor into members", async (log) => {
      const drafts = [
        set("c", "1", "ab"),
        set("bc", "2", "a"),
        set("", "3", "abc"),
        set("abc", "4", ""),
        { ...set("abc", "5", ""), kind: "join" } as const,
      ]
      const entries = await appendAll(log, "a", drafts)
      assertEqual(await readAll(log, "a", { select: "fold" }), entries, "a value for each")
    }),

    check("appends that are called one after another get their offsets in that order", async (log) => {
      const appended = await Promise.all(numbers(200).map((text) => append(log, "a", event(text))))
      const offsets = appended.map(({ position }) => position.offset)
      assertEqual(offsetsOf(await readAll(log, "a")), offsets, "offsets in the order of the calls")
      assertEqual(textsOf(await readAll(log, "a")), numbers(200), "the log's order")
    }),

    check("many who append at once to several channels each find theirs in order", async (log) => {
      const channels = ["a", "b", "c"]
      await Promise.all(
        numbers(15).map(async (publisher, index) => {
          const channel = channels[index % 3] as string
          for (const count of numbers(10)) await append(log, channel, event(`${publisher} ${count}`))
        }),
      )
      for (const [index, channel] of channels.entries()) {
        const texts = textsOf(await readAll(log, channel))
        assertEqual(texts.length, 50, `how many are in ${channel}`)
        for (const publisher of numbers(15).filter((_, other) => other % 3 === index)) {
          const own = texts.filter((text) => text.startsWith(`${publisher} `))
          assertEqual(
            own,
            numbers(10).map((count) => `${publisher} ${count}`),
            `what ${publisher} appended`,
          )
        }
      }
    }),

    check("a channel that was never used has a head and can be read", async (log) => {
      const head = await log.head("unused")
      assert(isPosition({ epoch: head.epoch, offset: 0 }), "its epoch can stand in a position")
      assertEqual([head.top, head.floor], [0, 0], "its top and floor")
      for (const select of ["all", "fold"] as const) {
        assertEqual(
          await readPage(log, "unused", { select }),
          { head, entries: [], next: 0 },
          `its page, ${select}`,
        )
      }
      assertEqual(await log.offsetOfLast("unused", 10), 0, "its offsetOfLast")
      await log.trim("unused", { events: 0, forMs: 0, bytes: 0 }, AT)
      assertEqual(await log.head("unused"), head, "its head after a trim")
    }),

    check("the head follows the appends, and the epoch stays", async (log) => {
      const { epoch } = await log.head("a")
      for (const draft of [event("1"), set("k", "2"), event("3")]) {
        const { position } = await append(log, "a", draft)
        assertEqual(await log.head("a"), { epoch, top: position.offset, floor: 0 }, "the head")
      }
    }),
  ]
}
