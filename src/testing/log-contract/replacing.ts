import { assertEqual } from "./assert.ts"
import {
  append,
  appendAll,
  type Check,
  event,
  join,
  type LogCheck,
  left,
  numbers,
  readAll,
  remove,
  set,
  textsOf,
} from "./fixture.ts"

/** Appends that are made only while the key's latest entry is the one that they mean. */
export function replacingChecks(check: Check): LogCheck[] {
  return [
    check("an append that replaces the latest entry of its key is made", async (log) => {
      const [, joined] = await appendAll(log, "a", [join("other"), join("m"), event("between")])
      const { position, duplicate } = await append(log, "a", left("m"), { replaces: joined?.offset ?? 0 })
      assertEqual(duplicate, false, "whether it was taken for a repeat")
      assertEqual(
        (await readAll(log, "a")).at(-1),
        { ...left("m"), offset: position.offset },
        "the last entry",
      )
    }),

    check("an append that replaces what has changed since is not made", async (log) => {
      const [joined] = await appendAll(log, "a", [join("m", "1"), event("between")])
      const [again] = await appendAll(log, "a", [join("m", "2")])
      const head = await log.head("a")
      const answer = await append(log, "a", left("m"), { replaces: joined?.offset ?? 0 })
      const position = { epoch: head.epoch, offset: again?.offset }
      assertEqual(answer, { position, duplicate: true }, "the answer")
      assertEqual(await log.head("a"), head, "the head")
      assertEqual(textsOf(await readAll(log, "a", { select: "fold" })), ["2"], "who is there")
    }),

    check("what removed a key is its latest entry too", async (log) => {
      const [value, removal] = await appendAll(log, "a", [set("k", "1"), remove("k")])
      const late = await append(log, "a", set("k", "2"), { replaces: value?.offset ?? 0 })
      assertEqual(
        [late.position.offset, late.duplicate],
        [removal?.offset, true],
        "the answer to the late one",
      )
      const next = await append(log, "a", set("k", "3"), { replaces: removal?.offset ?? 0 })
      assertEqual(next.duplicate, false, "whether the next one was taken for a repeat")
      assertEqual(textsOf(await readAll(log, "a", { select: "fold" })), ["3"], "the value")
    }),

    check("what has no entry yet is replaced as 0, and as nothing else", async (log) => {
      await appendAll(log, "a", [set("k", "1", "other"), join("k")])
      const wrong = await append(log, "a", set("k", "2"), { replaces: 1 })
      assertEqual([wrong.position.offset, wrong.duplicate], [0, true], "the answer to a wrong one")
      const right = await append(log, "a", set("k", "3"), { replaces: 0 })
      assertEqual(right.duplicate, false, "whether the right one was taken for a repeat")
      const first = await append(log, "unused", set("k", "4"), { replaces: 0 })
      assertEqual(first.duplicate, false, "whether the first of a channel was taken for a repeat")
    }),

    check("of those who replace the same entry at once, one does", async (log) => {
      const [value] = await appendAll(log, "a", [set("k", "before")])
      const replaces = value?.offset ?? 0
      const answers = await Promise.all(
        numbers(20).map((text) => append(log, "a", set("k", text), { replaces })),
      )
      assertEqual(answers.filter(({ duplicate }) => !duplicate).length, 1, "how many were appended")
      assertEqual(new Set(answers.map(({ position }) => position.offset)).size, 1, "how many offsets")
      assertEqual(textsOf(await readAll(log, "a", { select: "fold" })), ["0"], "the value")
    }),

    check("opened again, the log knows what is replaced", async (log, { reopen }) => {
      if (reopen === undefined) return
      const [first, second] = await appendAll(log, "a", [join("m", "1"), join("m", "2")])
      const again = await reopen()
      const late = await append(again, "a", left("m"), { replaces: first?.offset ?? 0 })
      assertEqual(late.duplicate, true, "whether the late one was refused")
      const next = await append(again, "a", left("m"), { replaces: second?.offset ?? 0 })
      assertEqual(next.duplicate, false, "whether the next one was taken for a repeat")
    }),
  ]
}
