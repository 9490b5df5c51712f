import type { Appended } from "../../log/log.ts"
import { assert, assertEqual } from "./assert.ts"
import { once } from "./deduping.ts"
import {
  append,
  appendAll,
  type Check,
  event,
  join,
  type LogCheck,
  numbers,
  offsetsOf,
  readAll,
  remove,
  set,
} from "./fixture.ts"

/** How a log ends. Those on `reopen` hold of themselves for a log that does not outlive its process. */
export function closingChecks(check: Check): LogCheck[] {
  return [
    check("close waits for the appends that are under way", async (log) => {
      let settled = 0
      const appends = numbers(50).map((text) =>
        append(log, "a", event(text)).then(
          () => settled++,
          () => settled++,
        ),
      )
      await log.close()
      await Promise.resolve()
      assertEqual(settled, appends.length, "how many appends had settled when it was closed")
    }),

    check("a closed log takes nothing, and closing it again changes nothing", async (log) => {
      await appendAll(log, "a", [event("1")])
      await log.close()
      await log.close()
      const refused = await append(log, "a", event("2")).then(
        () => false,
        () => true,
      )
      assert(refused, "an append to a closed log is refused")
    }),

    check(
      "what was acknowledged before the close is there when it is opened again",
      async (log, { reopen }) => {
        if (reopen === undefined) return
        const appends = numbers(50).map((text) =>
          append(log, "a", event(text)).then(
            ({ position }) => position.offset,
            () => 0,
          ),
        )
        const again = await reopen()
        const acknowledged = (await Promise.all(appends)).filter((offset) => offset > 0)
        const kept = new Set(offsetsOf(await readAll(again, "a")))
        for (const offset of acknowledged)
          assert(kept.has(offset), `the acknowledged entry ${offset} is gone`)
      },
    ),

    check("opened again, the log is what it was, and its offsets go on", async (log, { reopen }) => {
      if (reopen === undefined) return
      const drafts = [
        ...numbers(20).map((text) => event(text)),
        set("k", "1"),
        set("k", "2"),
        join("m"),
        set("l", "3"),
      ]
      await appendAll(log, "a", [...drafts, remove("l"), event("last")], { events: 5 })
      await appendAll(log, "b", [event("1")], { events: 0 })
      const before = await Promise.all(
        ["a", "b"].map(async (channel) => [await log.head(channel), await readAll(log, channel)]),
      )
      const again = await reopen()
      const after = await Promise.all(
        ["a", "b"].map(async (channel) => [await again.head(channel), await readAll(again, channel)]),
      )
      assertEqual(after, before, "heads and entries")
      for (const channel of ["a", "b"]) {
        const { epoch, top } = await again.head(channel)
        const { position } = await append(again, channel, event("new"))
        assertEqual(position.epoch, epoch, "the epoch")
        assert(position.offset > top, `offset ${position.offset} follows ${top}`)
      }
    }),

    check("opened again, the log knows the keys that were used, and those only", async (log, { reopen }) => {
      if (reopen === undefined) return
      const answers: Appended[] = []
      for (const text of numbers(30)) {
        answers.push(
          await append(log, "a", event(text), {
            dedupe: once(text),
            keep: { events: 3, forMs: Infinity, bytes: Infinity },
          }),
        )
      }
      const again = await reopen()
      for (const [index, text] of numbers(30).entries()) {
        const answer = await append(again, "a", event(text), { dedupe: once(text) })
        assertEqual(answer, { ...answers[index], duplicate: true }, `the answer to ${text}`)
      }
      const other = await append(again, "a", event("other"), { dedupe: once("other") })
      assertEqual(other.duplicate, false, "whether a new key is known")
    }),
  ]
}
