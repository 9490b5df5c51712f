import { assertEqual, assertRejects } from "./assert.ts"
import { assertExceeded } from "./assert-exceeded.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, account, create, extend, fact, keep, keysOf, numbers, once, put, remove } from "./operations.ts"
import { fold, readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

export function accountChecks(check: Check): LogCheck[] {
  return [...keyChecks(check), ...countChecks(check)]
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

    check("keys that have outlived their time make room for another key", async (log) => {
      const retention = keep({ forMs: 1_000 })
      const { all } = recorder(log, "a", { account: ada, retention })
      await all([put("k", "", { at: AT }), put("l", "", { at: AT + 500 })])
      await assertExceeded(log, put("m", "", { at: AT + 900 }), { account: ada, retention }, "a third key")
      await all([put("m", "", { at: AT + 1_200 })])
      assertEqual(keysOf(await fold(log, "a")), ["l", "m"], "the keys")
      await assertExceeded(log, put("n", "", { at: AT + 1_300 }), { account: ada, retention }, "a fourth key")
      const fewer = account("ada", { keysMax: 1 })
      const refused = append(log, "a", put("n", "", { at: AT + 1_600 }), { account: fewer, retention })
      await assertRejects(refused, "quota_exceeded", "a second key where one is allowed")
      await all([put("n", "", { at: AT + 1_700 })])
      assertEqual(keysOf(await fold(log, "a")), ["m", "n"], "the keys behind a refusal")
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
