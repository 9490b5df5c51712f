import type { Log } from "../../log/log.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck, LogUnderTest } from "./fixture.ts"
import { extend, KEYS, numbers, put, remove, textsOf } from "./operations.ts"
import { fold, readAll, readBackAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

/** Short enough to be waited for, and long enough never to be over on a busy machine. */
export const SHORT_MS = 50
export const LONG_MS = 3_600_000

const lapsed = { condition: { lapsed: true } } as const

/** Resolves when the short leases that were given before on this channel are over by the log's clock. */
export async function passShortLease(log: Log, { advance }: LogUnderTest, channel = "a"): Promise<void> {
  const control = { collection: "control" }
  await append(log, channel, put("clock", "", { ...control, leaseMs: SHORT_MS }))
  await advance?.(SHORT_MS)
  for (;;) {
    const { status } = await append(log, channel, remove("clock", control), lapsed)
    if (status === "appended") return
    assert(advance === undefined, "a lease goes on, though its time by the log's clock is over")
  }
}

export function leaseChecks(check: Check): LogCheck[] {
  return [...lapseChecks(check), ...renewalChecks(check)]
}

async function assertNotLapsed(log: Log, key: string, what: string): Promise<void> {
  const head = await log.head("a")
  const latest = await log.find("a", KEYS, key)
  const position = { epoch: head.epoch, offset: latest?.offset ?? 0 }
  for (const operation of [put(key, "taken"), remove(key)]) {
    const outcome = await append(log, "a", operation, lapsed)
    assertEqual(outcome, { status: "refused", position }, `the outcome of a ${operation.operation}, ${what}`)
  }
  assertEqual(await log.head("a"), head, `the head, ${what}`)
}

function lapseChecks(check: Check): LogCheck[] {
  return [
    check("a key whose lease is not over has not lapsed", async (log) => {
      await recorder(log, "a").one(put("k", "1", { leaseMs: LONG_MS }))
      await assertNotLapsed(log, "k", "with a long lease")
    }),

    check("a key without a lease, and one without a value, never lapse", async (log, under) => {
      const { all } = recorder(log, "a")
      await all([put("without", "1"), put("removed", "", { leaseMs: SHORT_MS }), remove("removed")])
      await passShortLease(log, under)
      await under.advance?.(LONG_MS * 1_000)
      for (const key of ["without", "removed", "never there"]) await assertNotLapsed(log, key, `of "${key}"`)
    }),

    check("a key whose lease is over can be removed", async (log, under) => {
      const { all, one } = recorder(log, "a")
      await all([put("k", "1", { leaseMs: SHORT_MS, holder: "node" }), put("l", "", { leaseMs: LONG_MS })])
      await passShortLease(log, under)
      const removal = await one(remove("k"), lapsed)
      assertEqual(await log.find("a", KEYS, "k"), removal, "the latest entry")
      await assertNotLapsed(log, "l", "of another key")
    }),

    check("a key whose lease is over can be taken over, once", async (log, under) => {
      await recorder(log, "a").one(put("k", "1", { leaseMs: SHORT_MS, holder: "node" }))
      await passShortLease(log, under)
      const taken = (holder: string) => put("k", holder, { leaseMs: LONG_MS, holder })
      const outcomes = await Promise.all(numbers(10).map((text) => append(log, "a", taken(text), lapsed)))
      const made = outcomes.filter(({ status }) => status === "appended")
      assertEqual(made.length, 1, "how many took it over")
      assertEqual((await log.find("a", KEYS, "k"))?.holder, "0", "the holder")
    }),

    check("a key whose lease is over is read like any other", async (log, under) => {
      const entry = await recorder(log, "a").one(put("k", "1", { leaseMs: SHORT_MS, holder: "node" }))
      await passShortLease(log, under)
      assertEqual(await fold(log, "a", { collections: [KEYS] }), [entry], "the fold")
      assertEqual(await readAll(log, "a", { collections: [KEYS] }), [entry], "all")
      assertEqual(await readBackAll(log, "a", { collection: KEYS }), [entry], "the backward page")
      assertEqual(await log.find("a", KEYS, "k"), entry, "the find")
      await recorder(log, "a").one(put("k", "2"), { condition: { latest: entry.offset } })
    }),

    check("a lapse is judged together with the other conditions", async (log, under) => {
      const { one } = recorder(log, "a")
      const { offset } = await one(put("k", "1", { leaseMs: SHORT_MS }), { condition: { version: 5 } })
      await passShortLease(log, under)
      const lower = await append(log, "a", remove("k"), { condition: { lapsed: true, version: 4 } })
      assertEqual([lower.status, lower.version], ["refused", 6], "the outcome for a lower version")
      const other = await append(log, "a", remove("k"), { condition: { lapsed: true, latest: offset + 1 } })
      assertEqual(other.status, "refused", "the outcome for another entry")
      await one(remove("k"), { condition: { lapsed: true, latest: offset, version: 5 } })
    }),
  ]
}

function renewalChecks(check: Check): LogCheck[] {
  const renewed = async (log: Log, under: LogUnderTest, what: string): Promise<void> => {
    await passShortLease(log, under)
    await assertNotLapsed(log, "k", what)
  }
  return [
    check("a put renews the lease", async (log, under) => {
      const { all } = recorder(log, "a")
      await all([put("k", "1", { leaseMs: SHORT_MS }), put("k", "2", { leaseMs: LONG_MS })])
      await renewed(log, under, "after another put")
    }),

    check("a put without a lease ends the lease", async (log, under) => {
      await recorder(log, "a").all([put("k", "1", { leaseMs: SHORT_MS }), put("k", "2")])
      await renewed(log, under, "after a put without a lease")
    }),

    check("a quiet put renews the lease, without an entry", async (log, under) => {
      const first = await recorder(log, "a").one(put("k", "1", { leaseMs: SHORT_MS }))
      const quiet = put("k", "1", { leaseMs: LONG_MS, quiet: true })
      assertEqual((await append(log, "a", quiet)).status, "unchanged", "the outcome of the quiet put")
      await renewed(log, under, "after a quiet put")
      assertEqual(await fold(log, "a", { collections: [KEYS] }), [first], "the fold")
    }),

    check("a repeated version renews the lease, without an entry", async (log, under) => {
      const versioned = { condition: { version: 5 } }
      await recorder(log, "a").one(put("k", "1", { leaseMs: SHORT_MS }), versioned)
      const repeated = await append(log, "a", put("k", "1", { leaseMs: LONG_MS }), versioned)
      assertEqual(repeated.status, "unchanged", "the outcome of the repetition")
      await renewed(log, under, "after a repetition")
    }),

    check("an extend, a refused put and another key's put do not renew the lease", async (log, under) => {
      const { one, all } = recorder(log, "a")
      await all([put("k", "1", { leaseMs: SHORT_MS }), put("l", "1", { leaseMs: SHORT_MS })])
      await one(extend("k", "2"))
      await append(log, "a", put("k", "3", { leaseMs: LONG_MS }), { condition: { latest: 0 } })
      await one(put("l", "2", { leaseMs: LONG_MS }))
      await passShortLease(log, under)
      const taken = await append(log, "a", put("k", "taken"), lapsed)
      assertEqual(taken.status, "appended", "the outcome of a takeover")
      assertEqual(textsOf(await fold(log, "a", { collections: [KEYS] })), ["2", "taken"], "the values")
    }),
  ]
}
