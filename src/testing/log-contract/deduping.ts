import type { Dedupe } from "../../log/log.ts"
import { assertEqual, assertRejects } from "./assert.ts"
import {
  AT,
  append,
  appendAll,
  type Check,
  event,
  keepAll,
  type LogCheck,
  numbers,
  readAll,
  set,
  textsOf,
} from "./fixture.ts"

export function dedupingChecks(check: Check): LogCheck[] {
  return [
    check("a repeated append finds the first one, and appends nothing", async (log) => {
      const first = await append(log, "a", event("1"), { dedupe: once("key") })
      await append(log, "a", event("2"), { dedupe: once("other") })
      const again = await append(log, "a", event("1"), { dedupe: once("key") })
      assertEqual(again, { position: first.position, duplicate: true }, "the second answer")
      assertEqual(textsOf(await readAll(log, "a")), ["1", "2"], "what is in the log")
    }),

    check("a key that comes with other content is a conflict, and appends nothing", async (log) => {
      await append(log, "a", event("1"), { dedupe: once("key") })
      const head = await log.head("a")
      const conflict = append(log, "a", event("2"), { dedupe: { ...once("key"), fingerprint: "other" } })
      await assertRejects(conflict, "idempotency_conflict", "the second append")
      assertEqual(await log.head("a"), head, "the head")
      const again = await append(log, "a", event("1"), { dedupe: once("key") })
      assertEqual(again.duplicate, true, "whether the first is still known")
    }),

    check("a key is remembered for its window, by the time of the drafts", async (log) => {
      const dedupe = { ...once("key"), windowMs: 10_000 }
      await append(log, "a", event("1", AT), { dedupe })
      const within = await append(log, "a", event("1", AT + 9_999), { dedupe })
      assertEqual(within.duplicate, true, "whether it is known within the window")
      const after = await append(log, "a", event("2", AT + 10_001), {
        dedupe: { ...dedupe, fingerprint: "other" },
      })
      assertEqual(after.duplicate, false, "whether it is known after the window")
      const anew = await append(log, "a", event("2", AT + 20_000), {
        dedupe: { ...dedupe, fingerprint: "other" },
      })
      assertEqual(anew, { position: after.position, duplicate: true }, "the answer in the new window")
      assertEqual(textsOf(await readAll(log, "a")), ["1", "2"], "what is in the log")
    }),

    check("windows of different length do not cut each other short", async (log) => {
      await append(log, "a", event("long", AT), { dedupe: { ...once("long"), windowMs: 100_000 } })
      await append(log, "a", event("short", AT), { dedupe: { ...once("short"), windowMs: 1_000 } })
      await append(log, "a", event("later", AT + 50_000), { dedupe: once("later") })
      const long = await append(log, "a", event("long", AT + 60_000), { dedupe: once("long") })
      assertEqual(long.duplicate, true, "whether the long one is known")
      const short = await append(log, "a", event("short", AT + 60_000), { dedupe: once("short") })
      assertEqual(short.duplicate, false, "whether the short one is known")
    }),

    check("keys belong to their channel", async (log) => {
      await append(log, "a", event("a"), { dedupe: once("key") })
      const other = await append(log, "b", event("b"), { dedupe: { ...once("key"), fingerprint: "b" } })
      assertEqual(other.duplicate, false, "whether another channel knows it")
    }),

    check("of appends with one key that are made at once, one is appended", async (log) => {
      const answers = await Promise.all(
        numbers(20).map(() => append(log, "a", event("1"), { dedupe: once("key") })),
      )
      assertEqual(answers.filter(({ duplicate }) => !duplicate).length, 1, "how many were appended")
      assertEqual(new Set(answers.map(({ position }) => position.offset)).size, 1, "how many offsets")
      assertEqual(textsOf(await readAll(log, "a")), ["1"], "what is in the log")
    }),

    check("a key outlives its entry", async (log) => {
      const dedupe = once("event")
      const event1 = await append(log, "a", event("1"), { dedupe })
      const set1 = await append(log, "a", set("k", "1"), { dedupe: once("set") })
      await appendAll(log, "a", [set("k", "2"), ...numbers(300).map((text) => event(text))], { events: 1 })
      const { top } = await log.head("a")
      const again = { keep: { ...keepAll, events: 1 } }
      const events = await append(log, "a", event("1"), { ...again, dedupe })
      assertEqual(events, { position: event1.position, duplicate: true }, "a trimmed event's answer")
      const sets = await append(log, "a", set("k", "1"), { ...again, dedupe: once("set") })
      assertEqual(sets, { position: set1.position, duplicate: true }, "a superseded value's answer")
      assertEqual((await log.head("a")).top, top, "the top")
    }),

    check("keys may be any text", async (log) => {
      const keys = ["", "\0", "a\0", "ä", "🙂", "\ud83d", "k".repeat(2_000)]
      for (const key of keys) await append(log, "a", event(key), { dedupe: once(key) })
      for (const key of keys) {
        const again = await append(log, "a", event(key), { dedupe: once(key) })
        assertEqual(again.duplicate, true, `whether ${JSON.stringify(key.slice(0, 5))} is known`)
      }
      assertEqual((await readAll(log, "a")).length, keys.length, "how many are in the log")
    }),
  ]
}

export function once(key: string): Dedupe {
  return { key, fingerprint: `of ${key}`, windowMs: 300_000 }
}
