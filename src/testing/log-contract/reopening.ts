import type { Entry } from "../../log/entry.ts"
import type { Head, Log } from "../../log/log.ts"
import { assert, assertEqual, assertRejects } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { LONG_MS, passShortLease, SHORT_MS } from "./leases.ts"
import {
  AT,
  account,
  create,
  extend,
  FACTS,
  fact,
  KEYS,
  keep,
  keepAll,
  numbers,
  offsetsOf,
  once,
  put,
  remove,
} from "./operations.ts"
import { readAll, readBackAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

/** What a log that outlives its process knows when it is opened again. These hold of themselves for one that does not. */
export function reopeningChecks(check: Check): LogCheck[] {
  const reopened = (name: string, body: (log: Log, reopen: () => Promise<Log>) => Promise<void>): LogCheck =>
    check(name, async (log, { reopen }) => {
      if (reopen !== undefined) await body(log, reopen)
    })
  return [
    ...contentChecks(reopened),
    ...memoryChecks(reopened),
    check("opened again, the log knows which leases are over", async (log, under) => {
      if (under.reopen === undefined) return
      await recorder(log, "a").all([
        put("short", "", { leaseMs: SHORT_MS }),
        put("long", "", { leaseMs: LONG_MS }),
        put("without"),
      ])
      await passShortLease(log, under)
      const again = await under.reopen()
      const statuses = []
      for (const key of ["long", "without", "short"]) {
        statuses.push((await append(again, "a", remove(key), { condition: { lapsed: true } })).status)
      }
      assertEqual(statuses, ["refused", "refused", "appended"], "the outcomes")
    }),
  ]
}

type Reopened = (name: string, body: (log: Log, reopen: () => Promise<Log>) => Promise<void>) => LogCheck

async function contentsOf(log: Log, channel: string): Promise<readonly [Head, ...(readonly Entry[])[]]> {
  return [
    await log.head(channel),
    await readAll(log, channel),
    await readBackAll(log, channel, { collection: FACTS }),
    await readBackAll(log, channel, { collection: KEYS }),
  ]
}

function contentChecks(reopened: Reopened): LogCheck[] {
  return [
    reopened(
      "what was acknowledged before the close is there when it is opened again",
      async (log, reopen) => {
        const appends = numbers(50).map((text) =>
          append(log, "a", fact(text)).then(
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

    reopened("opened again, the log is what it was, and its offsets go on", async (log, reopen) => {
      const few = { retention: keep({ entries: 5 }) }
      await recorder(log, "a", few).all([
        ...numbers(20).map((text) => fact(text)),
        put("k", "1"),
        put("k", "2", { holder: "node" }),
        create("m"),
        put("l", "3"),
        remove("l"),
        fact("last"),
      ])
      await append(log, "a", put("k", "2", { quiet: true, holder: "other" }), {
        ...few,
        condition: { version: 3 },
      })
      await recorder(log, "b", { retention: keep({ entries: 0 }) }).all([fact("1"), put("k")])
      const before = [await contentsOf(log, "a"), await contentsOf(log, "b")]
      const again = await reopen()
      assertEqual([await contentsOf(again, "a"), await contentsOf(again, "b")], before, "heads and entries")
      for (const channel of ["a", "b"]) {
        const { epoch, top } = await again.head(channel)
        const { position } = await append(again, channel, fact("new"))
        assertEqual(position.epoch, epoch, "the epoch")
        assert(position.offset > top, `offset ${position.offset} follows ${top}`)
      }
    }),

    reopened("opened again, the log knows the pieces of a value, and adds to them", async (log, reopen) => {
      const before = recorder(log, "a")
      const entries = await before.all([put("k", "1"), extend("k", "2"), extend("k", "3")])
      const again = await reopen()
      for (const [index, text] of ["23", "3"].entries()) {
        const [read] = await readAll(again, "a", { after: entries[index]?.offset ?? 0 })
        assertEqual(read && new TextDecoder().decode(read.body), text, `behind piece ${index}`)
      }
      const { position } = await append(again, "a", extend("k", "4"))
      const [last] = await readAll(again, "a", { after: entries[1]?.offset ?? 0 })
      assertEqual([last?.operation, last?.offset], ["extend", position.offset], "the entry of the next piece")
      assertEqual(last && new TextDecoder().decode(last.body), "34", "what was added")
    }),

    reopened("opened again, a forgotten channel goes on above all that it had", async (log, reopen) => {
      const { offset } = await recorder(log, "a").one(fact("1"))
      await log.trim("a", { [FACTS]: keep({ forMs: 1_000 }) }, AT + 2_000)
      const head = await log.head("a")
      const again = await reopen()
      const { epoch, base, top } = await again.head("a")
      assertEqual([epoch, top], [head.epoch, base], "epoch and top")
      assert(base >= offset, `the base ${base} lies below ${offset}`)
      const { position } = await append(again, "a", fact("2"))
      assert(position.offset > base, `offset ${position.offset} follows ${base}`)
    }),
  ]
}

function memoryChecks(reopened: Reopened): LogCheck[] {
  return [
    reopened("opened again, the log knows the idempotency keys, and those only", async (log, reopen) => {
      const outcomes = []
      for (const text of numbers(30)) {
        const options = { dedupe: once(text), retention: keep({ entries: 3 }) }
        outcomes.push(await append(log, "a", fact(text), options))
      }
      const again = await reopen()
      for (const [index, { position }] of outcomes.entries()) {
        const outcome = await append(again, "a", fact(`${index}`), { dedupe: once(`${index}`) })
        assertEqual(outcome, { status: "duplicate", position }, `the outcome of ${index}`)
      }
      const other = await append(again, "a", fact("other"), { dedupe: once("other") })
      assertEqual(other.status, "appended", "the outcome of another key")
    }),

    reopened("opened again, the log judges conditions as before", async (log, reopen) => {
      const { one } = recorder(log, "a")
      const first = await one(put("k", "1"))
      const second = await one(put("k", "2"), { condition: { version: 5 } })
      await one(remove("l"), { condition: { version: 7 } })
      await one(remove("m", { at: AT - 9_000 }), { condition: { version: 3 } })
      await one(remove("o", { collection: "others" }), { condition: { version: 9 } })
      await log.trim("a", { others: keep({ removalsForMs: 1_000 }) }, AT + 2_000)
      const again = await reopen()
      const late = await append(again, "a", put("k", "3"), { condition: { latest: first.offset } })
      assertEqual(
        [late.status, late.position.offset],
        ["refused", second.offset],
        "the outcome of a late one",
      )
      const lowest = []
      for (const operation of [put("k"), put("l"), put("m"), put("p", "", { collection: "others" })]) {
        lowest.push((await append(again, "a", operation, { condition: { version: 1 } })).version)
      }
      assertEqual(lowest, [6, 8, 4, 10], "the versions that are accepted")
      await recorder(again, "a").one(put("k", "3"), { condition: { latest: second.offset, version: 6 } })
    }),

    reopened("opened again, the log knows what belongs to an account", async (log, reopen) => {
      const ada = account("ada", { keysMax: 2, idempotencyKeysMax: 2 })
      for (const key of ["k", "l"]) await append(log, "a", put(key), { account: ada, dedupe: once(key) })
      const again = await reopen()
      await assertRejects(append(again, "a", put("m"), { account: ada }), "quota_exceeded", "a third key")
      const third = append(again, "a", fact(), { account: ada, dedupe: once("m") })
      await assertRejects(third, "quota_exceeded", "a third idempotency key")
      await append(again, "a", remove("k"), { retention: keepAll })
      const next = await append(again, "a", put("m"), { account: ada })
      assertEqual(next.status, "appended", "the outcome when a key was removed")
    }),
  ]
}
