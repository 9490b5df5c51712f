import { assert, assertEqual } from "./assert.ts"
import {
  AT,
  append,
  appendAll,
  type Check,
  event,
  join,
  keepAll,
  type LogCheck,
  left,
  numbers,
  readAll,
  remove,
  set,
  textsOf,
} from "./fixture.ts"

export function retainingChecks(check: Check): LogCheck[] {
  return [...trimmingChecks(check), ...compactionChecks(check)]
}

function trimmingChecks(check: Check): LogCheck[] {
  return [
    check("events are kept by count, and the floor is the last that was trimmed", async (log) => {
      const entries = await appendAll(
        log,
        "a",
        numbers(50).map((text) => event(text)),
        { events: 10 },
      )
      assertEqual(await readAll(log, "a"), entries.slice(40), "the last ten")
      const { top, floor } = await log.head("a")
      assertEqual([top, floor], [entries[49]?.offset, entries[39]?.offset], "top and floor")
    }),

    check("events are kept by bytes of payload", async (log) => {
      const entries = await appendAll(
        log,
        "a",
        numbers(30).map(() => event("x".repeat(100))),
        { bytes: 1_050 },
      )
      assertEqual(await readAll(log, "a"), entries.slice(20), "the last ten of 100 bytes")
      assertEqual((await log.head("a")).floor, entries[19]?.offset, "the floor")
    }),

    check("an append trims the events that are too old by its time", async (log) => {
      const drafts = numbers(10).map((text, index) => event(text, AT + index * 1_000))
      const entries = await appendAll(log, "a", drafts, { forMs: 3_500 })
      assertEqual(await readAll(log, "a"), entries.slice(6), "what is not older than 3.5 s")
      assertEqual((await log.head("a")).floor, entries[5]?.offset, "the floor")
    }),

    check("trim removes what has outlived its time, though nothing is appended", async (log) => {
      const entries = await appendAll(
        log,
        "a",
        numbers(10).map((text, index) => event(text, AT + index * 1_000)),
      )
      const head = await log.head("a")
      await log.trim("a", { ...keepAll, forMs: 3_500 }, AT + 9_000)
      assertEqual(await readAll(log, "a"), entries.slice(6), "what is not older than 3.5 s")
      assertEqual(await log.head("a"), { ...head, floor: entries[5]?.offset }, "the head")
      await log.trim("a", { ...keepAll, forMs: 3_500 }, AT + 3_600_000)
      assertEqual(await readAll(log, "a"), [], "nothing, an hour later")
      assertEqual(await log.head("a"), { ...head, floor: head.top }, "the head when all is trimmed")
    }),

    check("without limits nothing is trimmed", async (log) => {
      const drafts = numbers(300).map((text, index) => event(text, AT + index * 86_400_000))
      const entries = await appendAll(log, "a", drafts)
      await log.trim("a", keepAll, AT + 1e12)
      assertEqual(await readAll(log, "a"), entries, "everything")
      assertEqual((await log.head("a")).floor, 0, "the floor")
    }),

    check("a channel may keep no events at all", async (log) => {
      const entries = await appendAll(log, "a", [event("1"), set("k", "2"), event("3")], { events: 0 })
      assertEqual(await readAll(log, "a", { select: "fold" }), [entries[1]], "the fold")
      assertEqual(await readAll(log, "a", { after: entries[1]?.offset ?? 0 }), [], "what is left behind it")
      const { top, floor } = await log.head("a")
      assertEqual([top, floor], [entries[2]?.offset, entries[2]?.offset], "top and floor")
    }),

    check("limits on events do not concern state and presence", async (log) => {
      const kept = await appendAll(log, "a", [set("k", "v"), join("m")])
      await appendAll(
        log,
        "a",
        numbers(100).map((text, index) => event(text, AT + index * 1_000)),
        {
          events: 2,
          bytes: 1,
          forMs: 1_000,
        },
      )
      await log.trim("a", { events: 0, bytes: 0, forMs: 0 }, AT + 1e9)
      assertEqual(await readAll(log, "a", { select: "fold" }), kept, "the fold")
    }),

    check("no offset is ever given twice, even if all entries are gone", async (log) => {
      const first = await appendAll(
        log,
        "a",
        numbers(10).map((text) => event(text)),
        { events: 0 },
      )
      await log.trim("a", { events: 0, forMs: 0, bytes: 0 }, AT + 1e9)
      const second = await appendAll(log, "a", [set("k"), set("k"), remove("k"), event()])
      const [before, after] = [first.at(-1)?.offset ?? 0, second[0]?.offset ?? 0]
      assert(after > before, `offset ${after} follows ${before}`)
    }),
  ]
}

function compactionChecks(check: Check): LogCheck[] {
  return [
    check("of each key only the latest entry is kept, and that is no loss", async (log) => {
      const drafts = numbers(20).flatMap((text) => [set("k", text), set("l", text), join("m", text)])
      const entries = await appendAll(log, "a", drafts)
      assertEqual(await readAll(log, "a"), entries.slice(-3), "the latest of each")
      assertEqual((await log.head("a")).floor, 0, "the floor")
    }),

    check("a cursor below a deletion learns of it", async (log) => {
      const entries = await appendAll(log, "a", [
        set("k", "v"),
        join("m"),
        event("x"),
        remove("k"),
        left("m"),
      ])
      const after = entries[1]?.offset ?? 0
      assertEqual(await readAll(log, "a", { after }), entries.slice(2), "behind the value")
      assertEqual(await readAll(log, "a", { select: "fold" }), [], "the fold")
      assertEqual((await log.head("a")).floor, 0, "the floor")
    }),

    check("a key that is set after it was deleted supersedes the deletion", async (log) => {
      const entries = await appendAll(log, "a", [
        set("k", "1"),
        remove("k"),
        set("k", "2"),
        remove("l"),
        left("m"),
      ])
      assertEqual(await readAll(log, "a"), entries.slice(2), "all")
      assertEqual(textsOf(await readAll(log, "a", { select: "fold" })), ["2"], "the fold")
      assertEqual((await log.head("a")).floor, 0, "the floor")
    }),

    check("however many deletions there were, none is lost silently", async (log) => {
      const keys = numbers(2_500)
      const values = await Promise.all(keys.map((key) => append(log, "a", set(key, "v"))))
      const removed = await Promise.all(keys.map((key) => append(log, "a", remove(key))))
      const { top, floor } = await log.head("a")
      const after = Math.max(floor, values.at(-1)?.position.offset ?? 0)
      const told = (await readAll(log, "a", { after })).map(({ offset }) => offset)
      const due = removed.map(({ position }) => position.offset).filter((offset) => offset > after)
      assertEqual(told, due, `the deletions behind ${after}`)
      assert(floor <= top, `the floor ${floor} lies above the top ${top}`)
    }),

    check("deletions are forgotten with age, and then the floor says so", async (log) => {
      const entries = await appendAll(log, "a", [set("k", "v"), remove("k"), set("l", "v")])
      await log.trim("a", { ...keepAll, forMs: 1_000 }, AT + 3_600_000)
      const { floor } = await log.head("a")
      const all = await readAll(log, "a")
      if (floor === 0) assertEqual(all, entries.slice(1), "everything, as the floor says nothing was lost")
      else assertEqual([floor, all], [entries[1]?.offset, entries.slice(2)], "the floor, and what is left")
    }),
  ]
}
