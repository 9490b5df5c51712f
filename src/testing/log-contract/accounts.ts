import type { Log } from "../../log/log.ts"
import type { AppendOptions, Operation } from "../../log/operation.ts"
import { assertEqual, assertRejects } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import {
  AT,
  account,
  create,
  extend,
  fact,
  KEYS,
  keep,
  keysOf,
  numbers,
  once,
  put,
  remove,
} from "./operations.ts"
import { fold, readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function accountChecks(check: Check): LogCheck[] {
  return [...keyChecks(check), ...countChecks(check), ...idempotencyKeyChecks(check)]
}

/** Checks that the operation is beyond a quota, and changes nothing. */
async function assertExceeded(
  log: Log,
  operation: Operation,
  options: Partial<AppendOptions>,
  what: string,
): Promise<void> {
  const before = [await log.head("a"), await readAll(log, "a")]
  await assertRejects(append(log, "a", operation, options), "quota_exceeded", what)
  assertEqual([await log.head("a"), await readAll(log, "a")], before, `what is in the log after ${what}`)
}

const ada = account("ada", { keysMax: 2 })

function keyChecks(check: Check): LogCheck[] {
  return [
    check("an account has at most so many keys in a collection", async (log) => {
      const { all } = recorder(log, "a", { account: ada })
      await all([put("k"), create()])
      await assertExceeded(log, put("l"), { account: ada }, "a third key")
      await assertExceeded(log, create(), { account: ada }, "a third key that the log assigns")
      assertEqual((await fold(log, "a")).length, 2, "the keys")
    }),

    check("a full account changes the keys that it has", async (log) => {
      const { all, one } = recorder(log, "a", { account: ada })
      const [first] = await all([
        put("k", "1"),
        put("l", "1"),
        put("k", "2"),
        extend("k", "3"),
        remove("never"),
      ])
      const quiet = await append(log, "a", put("l", "1", { quiet: true }), { account: ada })
      assertEqual(quiet.status, "unchanged", "the outcome of a quiet put")
      const refused = await append(log, "a", put("m"), {
        account: ada,
        condition: { latest: first?.offset ?? 0 },
      })
      assertEqual(refused.status, "refused", "the outcome of a put whose condition does not hold")
      await one(remove("k"))
    }),

    check("removed keys count no more", async (log) => {
      const { one, all } = recorder(log, "a", { account: ada })
      await all([put("k"), put("l"), remove("k")])
      await one(put("m"))
      await assertExceeded(log, put("k"), { account: ada }, "the removed key anew")
      await recorder(log, "a").one(remove("l"))
      await one(put("k"))
      await assertExceeded(log, put("l"), { account: ada }, "one that was removed without an account")
    }),

    check("keys that the collection trims count no more", async (log) => {
      const { all } = recorder(log, "a", { account: ada, retention: keep({ entries: 2 }) })
      await recorder(log, "a").one(put("other"))
      await all([put("k"), put("l")])
      await recorder(log, "a", { retention: keep({ entries: 2 }) }).all([put("x")])
      await all([put("m")])
      assertEqual(keysOf(await fold(log, "a")), ["x", "m"], "the keys")
      await all([put("n")])
      assertEqual(keysOf(await fold(log, "a")), ["m", "n"], "the keys of the account")
    }),

    check("a key counts for the account that created it", async (log) => {
      const [first, second] = [account("first", { keysMax: 1 }), account("second", { keysMax: 1 })]
      await append(log, "a", put("k", "1"), { account: first })
      await append(log, "a", put("l", "1"), { account: second })
      await append(log, "a", put("k", "2"), { account: second })
      await append(log, "a", put("l", "2"))
      await assertExceeded(log, put("m"), { account: first }, "a key of the first")
      await assertExceeded(log, put("m"), { account: second }, "a key of the second")
      await append(log, "a", remove("k"), { account: second })
      await assertExceeded(
        log,
        put("m"),
        { account: second },
        "a key of the second, which removed the first's",
      )
      assertEqual((await append(log, "a", put("m"), { account: first })).status, "appended", "the first's")
    }),

    check("facts are no keys", async (log) => {
      const { all } = recorder(log, "a", { account: account("ada", { keysMax: 0 }) })
      const entries = await all([fact("1"), fact("2"), remove("k")])
      assertEqual(await readAll(log, "a"), entries, "all")
    }),
  ]
}

function countChecks(check: Check): LogCheck[] {
  return [
    check("accounts, collections and channels are counted apart", async (log) => {
      await recorder(log, "a", { account: ada }).all([put("k"), put("l")])
      const bob = account("bob", { keysMax: 2 })
      const outcomes = [
        await append(log, "a", put("m"), { account: bob }),
        await append(log, "a", put("n"), { account: bob }),
        await append(log, "a", put("k", "", { collection: "others" }), { account: ada }),
        await append(log, "b", put("k"), { account: ada }),
        ...(await Promise.all(numbers(5).map((key) => append(log, "a", put(key))))),
      ]
      const statuses = outcomes.map(({ status }) => status)
      assertEqual(
        statuses,
        statuses.map(() => "appended"),
        "the outcomes",
      )
      await assertExceeded(log, put("o"), { account: bob }, "a third key of the other")
      await assertExceeded(log, put("o"), { account: ada }, "a third key of the first")
    }),

    check("names of accounts are apart, whatever is in them", async (log) => {
      for (const name of ["", "a", "a\0", "a:k", "ä", "🙂", "\ud83d", "__proto__", "n".repeat(1_000)]) {
        const options = { account: account(name, { keysMax: 1, idempotencyKeysMax: 1 }), dedupe: once(name) }
        const { status } = await append(log, "a", create(name.slice(0, 3)), options)
        assertEqual(status, "appended", `the outcome for ${JSON.stringify(name.slice(0, 5))}`)
        await assertExceeded(log, create(), { account: options.account }, "a second key")
      }
    }),

    check("of keys that an account puts at once, so many are made as it may have", async (log) => {
      const outcomes = await Promise.allSettled(
        numbers(10).map((key) => append(log, "a", put(key), { account: ada })),
      )
      assertEqual(outcomes.filter(({ status }) => status === "fulfilled").length, 2, "how many were made")
      assertEqual(keysOf(await fold(log, "a")), ["0", "1"], "the keys")
    }),

    check("a lower limit takes nothing away", async (log) => {
      await recorder(log, "a").all(
        numbers(5).map((key) => put(key)),
        { account: account("ada") },
      )
      await assertExceeded(log, put("k"), { account: ada }, "another key")
      await append(log, "a", put("0", "changed"), { account: ada })
      assertEqual((await fold(log, "a")).length, 5, "the keys")
    }),
  ]
}

function idempotencyKeyChecks(check: Check): LogCheck[] {
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
