import { assertEqual, assertRejects } from "./assert.ts"
import { assertExceeded } from "./assert-exceeded.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, account, fact, KEYS, numbers, once, put, remove } from "./operations.ts"
import { fold } from "./pages.ts"
import { append } from "./recorder.ts"

/** Quotas of idempotency keys, and what a flood by one account does to the others: nothing. */
export function idempotencyQuotaChecks(check: Check): LogCheck[] {
  const eve = account("eve", { idempotencyKeysMax: 3 })
  return [
    check("an account has at most so many idempotency keys in a channel", async (log) => {
      for (const [index, collection] of ["one", "two", "three"].entries()) {
        await append(log, "a", fact("", { collection }), { account: eve, dedupe: once(`${index}`) })
      }
      await assertExceeded(log, fact(), { account: eve, dedupe: once("3") }, "a fourth key")
      await assertExceeded(log, put("k"), { account: eve, dedupe: once("3") }, "a fourth key of a put")
      assertEqual(await log.find("a", KEYS, "k"), undefined, "the put that was refused")
      const without = await append(log, "a", fact(), { account: eve })
      assertEqual(without.status, "appended", "the outcome without an idempotency key")
    }),

    check("a full account cannot bring a key along with what changes nothing", async (log) => {
      const limits = account("eve", { idempotencyKeysMax: 1 })
      await append(log, "a", put("k", "1", { holder: "first" }), { account: limits, dedupe: once("0") })
      const quiet = put("k", "1", { quiet: true, holder: "second" })
      await assertExceeded(log, quiet, { account: limits, dedupe: once("1") }, "a second idempotency key")
      assertEqual((await append(log, "a", quiet, { account: limits })).status, "unchanged", "without a key")
    }),

    check("a full account finds what it appended", async (log) => {
      const outcomes = []
      for (const key of numbers(3)) {
        outcomes.push(await append(log, "a", fact(key), { account: eve, dedupe: once(key) }))
      }
      for (const [index, { position }] of outcomes.entries()) {
        const options = { account: eve, dedupe: once(`${index}`) }
        const again = await append(log, "a", fact(`${index}`), options)
        assertEqual(again, { status: "duplicate", position }, `the outcome of repetition ${index}`)
        const conflict = append(log, "a", fact(), {
          ...options,
          dedupe: { ...options.dedupe, fingerprint: "x" },
        })
        await assertRejects(conflict, "idempotency_conflict", "a repetition with other content")
      }
    }),

    check("expired idempotency keys count no more", async (log) => {
      for (const key of numbers(3)) {
        const dedupe = { ...once(key), windowMs: key === "1" ? 1_000 : 100_000 }
        await append(log, "a", fact(key), { account: eve, dedupe })
      }
      const at = AT + 2_000
      const next = await append(log, "a", fact("3", { at }), { account: eve, dedupe: once("3") })
      assertEqual(next.status, "appended", "the outcome when one has expired")
      await assertExceeded(log, fact("4", { at }), { account: eve, dedupe: once("4") }, "one more")
    }),

    check("an idempotency key that comes again after its window counts once", async (log) => {
      for (const index of [0, 1, 2, 3]) {
        const dedupe = { ...once("0"), windowMs: 1_000 }
        await append(log, "a", fact("", { at: AT + index * 2_000 }), { account: eve, dedupe })
      }
      const at = AT + 6_500
      for (const key of ["1", "2"]) {
        const { status } = await append(log, "a", fact("", { at }), { account: eve, dedupe: once(key) })
        assertEqual(status, "appended", `the outcome of ${key}`)
      }
      await assertExceeded(log, fact("", { at }), { account: eve, dedupe: once("3") }, "a fourth key")
    }),

    check("a refused operation counts for nothing", async (log) => {
      const limits = account("eve", { idempotencyKeysMax: 1, keysMax: 1 })
      for (const key of numbers(3)) {
        const options = { account: limits, dedupe: once(key), condition: { latest: 7 } }
        assertEqual((await append(log, "a", put("k"), options)).status, "refused", "an outcome")
      }
      const made = await append(log, "a", put("k"), { account: limits, dedupe: once("0") })
      assertEqual(made.status, "appended", "the outcome of one that is not refused")
      const { offset } = made.position
      await assertExceeded(log, put("l"), { account: limits }, "a second key")
      const options = { account: limits, dedupe: once("1"), condition: { latest: offset } }
      await assertExceeded(log, remove("k"), options, "a second idempotency key")
      assertEqual((await fold(log, "a")).length, 1, "the keys")
    }),

    check("a flood by one account evicts nothing of another's", async (log) => {
      const ada = { account: account("ada", { idempotencyKeysMax: 10 }), dedupe: once("ada's") }
      const first = await append(log, "a", put("ada's", "1"), ada)
      const nobody = await append(log, "a", put("nobody's", "1"), { dedupe: once("nobody's") })
      const flood = account("eve", { keysMax: 100, idempotencyKeysMax: 100 })
      const outcomes = await Promise.allSettled(
        numbers(300).map((key) => append(log, "a", put(key), { account: flood, dedupe: once(key) })),
      )
      assertEqual(outcomes.filter(({ status }) => status === "fulfilled").length, 100, "how many were made")
      const again = await append(log, "a", put("ada's", "1"), ada)
      assertEqual(again, { status: "duplicate", position: first.position }, "the outcome of ada's repetition")
      const other = await append(log, "a", put("nobody's", "1"), { dedupe: once("nobody's") })
      assertEqual(other, { status: "duplicate", position: nobody.position }, "the outcome of nobody's")
      assertEqual((await log.find("a", KEYS, "ada's"))?.offset, first.position.offset, "ada's key")
    }),

    check("operations without an account are counted by no account", async (log) => {
      const outcomes = await Promise.all(
        numbers(50).map((key) => append(log, "a", put(key), { dedupe: once(key) })),
      )
      assertEqual(outcomes.filter(({ status }) => status === "appended").length, 50, "how many were made")
      const limits = account("", { keysMax: 1, idempotencyKeysMax: 1 })
      const made = await append(log, "a", put("k"), { account: limits, dedupe: once("k") })
      assertEqual(made.status, "appended", "the first of an account without a name")
    }),
  ]
}
