import type { Log } from "../../log/log.ts"
import type { AppendOptions, Operation } from "../../log/operation.ts"
import { assertEqual, assertRejects } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, create, extend, fact, keep, numbers, once, put, remove, textsOf } from "./operations.ts"
import { fold, readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function dedupingChecks(check: Check): LogCheck[] {
  return [...repetitionChecks(check), ...windowChecks(check), ...outcomeChecks(check)]
}

/** Appends an operation twice, and checks that the second one finds the first. */
async function assertFound(log: Log, operation: Operation, options: Partial<AppendOptions>): Promise<void> {
  const first = await append(log, "a", operation, options)
  await append(log, "a", fact("between"))
  const head = await log.head("a")
  const again = await append(log, "a", operation, options)
  const what = `a repeated ${operation.operation}`
  assertEqual(again, { status: "duplicate", position: first.position }, `the outcome of ${what}`)
  assertEqual(await log.head("a"), head, `the head after ${what}`)
}

function repetitionChecks(check: Check): LogCheck[] {
  return [
    check("a repeated operation finds the first one, and changes nothing", async (log) => {
      await assertFound(log, fact("1"), { dedupe: once("1") })
      await assertFound(log, put("k", "2"), { dedupe: once("2") })
      await assertFound(log, extend("k", "3"), { dedupe: once("3") })
      assertEqual(textsOf(await fold(log, "a")), ["23"], "the value")
      await assertFound(log, remove("k"), { dedupe: once("4") })
      await append(log, "a", put("k", "5"))
      assertEqual(
        (await append(log, "a", remove("k"), { dedupe: once("4") })).status,
        "duplicate",
        "the removal",
      )
      assertEqual(textsOf(await fold(log, "a")), ["5"], "the value after the removal was repeated")
    }),

    check("a repeated put with an assigned key finds that key", async (log) => {
      const first = await append(log, "a", create("1"), { dedupe: once("1") })
      await append(log, "a", fact("between"))
      const again = await append(log, "a", create("1"), { dedupe: once("1") })
      assertEqual(again, { status: "duplicate", position: first.position }, "the outcome")
      const second = await append(log, "a", create("1"), { dedupe: once("2") })
      const keys = (await fold(log, "a")).map(({ key }) => Number(key))
      assertEqual(keys, [first.position.offset, second.position.offset], "the keys")
    }),

    check("a repetition with other content is a conflict, and changes nothing", async (log) => {
      await append(log, "a", fact("1"), { dedupe: once("key") })
      const head = await log.head("a")
      const dedupe = { ...once("key"), fingerprint: "other" }
      await assertRejects(
        append(log, "a", fact("2"), { dedupe }),
        "idempotency_conflict",
        "the second append",
      )
      await assertRejects(append(log, "a", put("k"), { dedupe }), "idempotency_conflict", "a put")
      assertEqual(await log.head("a"), head, "the head")
      const again = await append(log, "a", fact("1"), { dedupe: once("key") })
      assertEqual(again.status, "duplicate", "the outcome of the first one's repetition")
    }),

    check("idempotency keys belong to their channel, whatever the collection", async (log) => {
      await append(log, "a", fact("a"), { dedupe: once("key") })
      const other = await append(log, "b", fact("b"), { dedupe: { ...once("key"), fingerprint: "b" } })
      assertEqual(other.status, "appended", "the outcome in another channel")
      const dedupe = { ...once("key"), fingerprint: "c" }
      const conflict = append(log, "a", fact("c", { collection: "others" }), { dedupe })
      await assertRejects(conflict, "idempotency_conflict", "an append to another collection")
    }),

    check("of operations with one key that are made at once, one is appended", async (log) => {
      const outcomes = await Promise.all(
        numbers(20).map(() => append(log, "a", create("1"), { dedupe: once("key") })),
      )
      const appended = outcomes.filter(({ status }) => status === "appended")
      assertEqual(appended.length, 1, "how many were appended")
      assertEqual(new Set(outcomes.map(({ position }) => position.offset)).size, 1, "how many offsets")
      assertEqual(textsOf(await readAll(log, "a")), ["1"], "what is in the log")
    }),
  ]
}

function windowChecks(check: Check): LogCheck[] {
  return [
    check("a key is remembered for its window, by the time of the operations", async (log) => {
      const dedupe = { ...once("key"), windowMs: 10_000 }
      const other = { ...dedupe, fingerprint: "other" }
      await append(log, "a", fact("1"), { dedupe })
      const within = await append(log, "a", fact("1", { at: AT + 9_999 }), { dedupe })
      assertEqual(within.status, "duplicate", "the outcome within the window")
      const after = await append(log, "a", fact("2", { at: AT + 10_001 }), { dedupe: other })
      assertEqual(after.status, "appended", "the outcome after the window")
      const anew = await append(log, "a", fact("2", { at: AT + 20_000 }), { dedupe: other })
      assertEqual(anew, { status: "duplicate", position: after.position }, "the outcome in the new window")
      assertEqual(textsOf(await readAll(log, "a")), ["1", "2"], "what is in the log")
    }),

    check("windows of different length do not cut each other short", async (log) => {
      await append(log, "a", fact("long"), { dedupe: { ...once("long"), windowMs: 100_000 } })
      await append(log, "a", fact("short"), { dedupe: { ...once("short"), windowMs: 1_000 } })
      await append(log, "a", fact("later", { at: AT + 50_000 }), { dedupe: once("later") })
      const long = await append(log, "a", fact("long", { at: AT + 60_000 }), { dedupe: once("long") })
      assertEqual(long.status, "duplicate", "the outcome of the long one")
      const short = await append(log, "a", fact("short", { at: AT + 60_000 }), { dedupe: once("short") })
      assertEqual(short.status, "appended", "the outcome of the short one")
    }),

    check("a trim leaves the keys alone whose window is open", async (log) => {
      await append(log, "a", fact("long"), { dedupe: { ...once("long"), windowMs: 100_000 } })
      await append(log, "a", fact("short"), { dedupe: { ...once("short"), windowMs: 1_000 } })
      await log.trim("a", {}, AT + 50_000)
      const long = await append(log, "a", fact("long", { at: AT + 50_000 }), { dedupe: once("long") })
      assertEqual(long.status, "duplicate", "the outcome of the long one")
      const short = await append(log, "a", fact("short", { at: AT + 50_000 }), { dedupe: once("short") })
      assertEqual(short.status, "appended", "the outcome of the short one")
    }),

    check("a key outlives its entry", async (log) => {
      const retention = keep({ entries: 1 })
      const [event, value] = [once("event"), once("value")]
      const fact1 = await append(log, "a", fact("1"), { dedupe: event })
      const put1 = await append(log, "a", put("k", "1"), { dedupe: value })
      await append(log, "a", put("k", "2"))
      await recorder(log, "a", { retention }).all(numbers(300).map((text) => fact(text)))
      const { top } = await log.head("a")
      const facts = await append(log, "a", fact("1"), { retention, dedupe: event })
      assertEqual(facts, { status: "duplicate", position: fact1.position }, "a trimmed fact's outcome")
      const values = await append(log, "a", put("k", "1"), { retention, dedupe: value })
      assertEqual(values, { status: "duplicate", position: put1.position }, "a superseded value's outcome")
      assertEqual((await log.head("a")).top, top, "the top")
    }),
  ]
}

function outcomeChecks(check: Check): LogCheck[] {
  return [
    check("a repetition is found although its condition does not hold any more", async (log) => {
      await assertFound(log, put("k", "1"), { dedupe: once("1"), condition: { latest: 0 } })
      await assertFound(log, put("k", "2"), { dedupe: once("2"), condition: { version: 5 } })
      await assertFound(log, remove("k"), { dedupe: once("3"), condition: { version: 5 } })
    }),

    check("a refused operation records no idempotency key", async (log) => {
      const dedupe = once("key")
      const { offset } = await recorder(log, "a").one(put("k", "1"))
      for (const condition of [{ latest: 0 }, { lapsed: true as const }]) {
        const { status } = await append(log, "a", put("k", "2"), { dedupe, condition })
        assertEqual(status, "refused", "the outcome while the condition does not hold")
      }
      const extended = await append(log, "a", extend("never there", "2"), { dedupe })
      assertEqual(extended.status, "refused", "the outcome of an extend without a value")
      const made = await append(log, "a", put("k", "2"), { dedupe, condition: { latest: offset } })
      assertEqual(made.status, "appended", "the outcome with the right condition")
      const again = await append(log, "a", put("k", "2"), { dedupe, condition: { latest: offset } })
      assertEqual(again, { status: "duplicate", position: made.position }, "the outcome of its repetition")
    }),

    check("an operation that changed nothing is found again too", async (log) => {
      const quiet = { ...put("k", "1", { quiet: true }) }
      const { offset } = await recorder(log, "a").one(put("k", "1"))
      const first = await append(log, "a", quiet, { dedupe: once("key") })
      assertEqual(first.status, "unchanged", "the outcome of the first one")
      const changed = await recorder(log, "a").one(put("k", "2"))
      const again = await append(log, "a", quiet, { dedupe: once("key") })
      assertEqual(
        [again.status, again.position.offset],
        ["duplicate", offset],
        "the outcome of its repetition",
      )
      assertEqual((await log.head("a")).top, changed.offset, "the top")
    }),
  ]
}
