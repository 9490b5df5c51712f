import type { Log } from "../../log/log.ts"
import type { Operation } from "../../log/operation.ts"
import { assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import { AT, bytesOf, extend, KEYS, keep, put, remove, textsOf } from "./operations.ts"
import { fold, readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"

/** Last writer wins, by versions that the writers bring along. */
export function versionChecks(check: Check): LogCheck[] {
  return [...orderChecks(check), ...repetitionChecks(check), ...forgottenChecks(check)]
}

/** Checks that the operation is refused, with the lowest version that is accepted. */
async function assertRefused(log: Log, operation: Operation, version: number, lowest: number): Promise<void> {
  const head = await log.head("a")
  const outcome = await append(log, "a", operation, { condition: { version } })
  const latest = await log.find("a", operation.collection, operation.key ?? "")
  const what = `${operation.operation} with version ${version}`
  const position = { epoch: head.epoch, offset: latest?.offset ?? 0 }
  assertEqual(outcome, { status: "refused", position, version: lowest }, `the outcome of a ${what}`)
  assertEqual(await log.head("a"), head, `the head after a ${what}`)
}

function orderChecks(check: Check): LogCheck[] {
  return [
    check("a higher version wins, and becomes the key's", async (log) => {
      const { one } = recorder(log, "a")
      for (const version of [1, 2, 7, 1_000_000_000_000]) {
        const entry = await one(put("k", `${version}`), { condition: { version } })
        assertEqual(await fold(log, "a"), [{ ...entry, version }], `the fold with version ${version}`)
      }
    }),

    check("a lower or equal version is refused with the lowest that is accepted", async (log) => {
      const { one } = recorder(log, "a")
      const latest = await one(put("k", "1"), { condition: { version: 5 } })
      for (const version of [0, 1, 4, 5]) await assertRefused(log, put("k", "2"), version, 6)
      for (const version of [4, 5]) await assertRefused(log, extend("k", "2"), version, 6)
      await assertRefused(log, remove("k"), 4, 6)
      assertEqual(await fold(log, "a"), [latest], "the fold")
      const next = await one(put("k", "2"), { condition: { version: 6 } })
      assertEqual(await fold(log, "a"), [next], "the fold with the version that was named")
    }),

    check("a remove wins a tie against a value, and a put loses one against a removal", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1"), { condition: { version: 5 } })
      const removal = await one(remove("k"), { condition: { version: 5 } })
      assertEqual(await readAll(log, "a"), [{ ...removal, version: 5 }], "all")
      for (const version of [4, 5]) {
        await assertRefused(log, put("k", "1"), version, 6)
        await assertRefused(log, remove("k"), version, 6)
      }
      await one(put("k", "2"), { condition: { version: 6 } })
      assertEqual(textsOf(await fold(log, "a")), ["2"], "the value")
    }),

    check("a removal before its put is remembered: the late put is refused", async (log) => {
      const { one } = recorder(log, "a")
      const removal = await one(remove("k"), { condition: { version: 5 } })
      assertEqual(await readAll(log, "a"), [removal], "all")
      for (const version of [4, 5]) await assertRefused(log, put("k", "late"), version, 6)
    }),

    check("a higher removal of what is removed raises the version, without an entry", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1"), { condition: { version: 5 } })
      const removal = await one(remove("k"), { condition: { version: 5 } })
      const head = await log.head("a")
      const body = bytesOf("again")
      const outcome = await append(log, "a", remove("k", { body }), { condition: { version: 8 } })
      assertEqual(
        outcome,
        { status: "unchanged", position: { epoch: head.epoch, offset: removal.offset } },
        "it",
      )
      assertEqual(await log.head("a"), head, "the head")
      assertEqual(await log.find("a", KEYS, "k"), { ...removal, version: 8 }, "the removal")
      await assertRefused(log, put("k", "late"), 8, 9)
    }),

    check("an extend brings a version too", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1"), { condition: { version: 5 } })
      await one(extend("k", "2"), { condition: { version: 6 } })
      await assertRefused(log, put("k", "late"), 6, 7)
      const found = await log.find("a", KEYS, "k")
      assertEqual([found?.version, found && textsOf([found])], [6, ["12"]], "version and value")
    }),

    check("a change without a version is made, and leaves the version as it is", async (log) => {
      const { one, all } = recorder(log, "a")
      await one(put("k", "1"), { condition: { version: 5 } })
      await all([put("k", "2"), extend("k", "3")])
      assertEqual((await log.find("a", KEYS, "k"))?.version, 5, "the version of the value")
      await one(remove("k"))
      assertEqual((await log.find("a", KEYS, "k"))?.version, 5, "the version of the removal")
      await assertRefused(log, put("k", "late"), 5, 6)
      const anew = await one(put("k", "4"))
      assertEqual(await readAll(log, "a"), [{ ...anew, version: 5 }], "all")
    }),

    check("versions of several keys and collections are apart", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1"), { condition: { version: 9 } })
      await one(put("l", "2"), { condition: { version: 1 } })
      await one(put("k", "3", { collection: "others" }), { condition: { version: 1 } })
      assertEqual(textsOf(await fold(log, "a")), ["1", "2", "3"], "the values")
    }),

    check("all that a condition names has to hold", async (log) => {
      const { one } = recorder(log, "a")
      const { offset } = await one(put("k", "1"), { condition: { version: 5 } })
      const lower = await append(log, "a", put("k", "2"), { condition: { latest: offset, version: 5 } })
      assertEqual([lower.status, lower.version], ["refused", 6], "the outcome for a lower version")
      const other = await append(log, "a", put("k", "2"), { condition: { latest: offset + 1, version: 6 } })
      assertEqual([other.status, other.version], ["refused", undefined], "the outcome for another entry")
      await one(put("k", "2"), { condition: { latest: offset, version: 6 } })
    }),
  ]
}

function repetitionChecks(check: Check): LogCheck[] {
  return [
    check("a put that repeats version, holder and value changes nothing", async (log) => {
      const { one } = recorder(log, "a")
      const repeated = put("k", "1", { holder: "node" })
      const first = await one(repeated, { condition: { version: 5 } })
      const head = await log.head("a")
      const again = await append(log, "a", { ...repeated, at: AT + 9 }, { condition: { version: 5 } })
      const position = { epoch: head.epoch, offset: first.offset }
      assertEqual(again, { status: "unchanged", position }, "the outcome")
      assertEqual(await log.head("a"), head, "the head")
      assertEqual(await fold(log, "a"), [first], "the fold")
    }),

    check("a put that repeats the version with another value or holder is refused", async (log) => {
      const { one } = recorder(log, "a")
      const first = await one(put("k", "1", { holder: "node" }), { condition: { version: 5 } })
      for (const other of [
        put("k", "2", { holder: "node" }),
        put("k", "1", { holder: "other" }),
        put("k", "1"),
      ]) {
        await assertRefused(log, other, 5, 6)
        await assertRefused(log, { ...other, quiet: true }, 5, 6)
      }
      assertEqual(await fold(log, "a"), [first], "the fold")
    }),

    check("of puts with one version that are made at once, one wins", async (log) => {
      const texts = ["1", "2", "3", "1", "2", "3"]
      const outcomes = await Promise.all(
        texts.map((text) => append(log, "a", put("k", text), { condition: { version: 5 } })),
      )
      const statuses = outcomes.map(({ status }) => status)
      const expected = ["appended", "refused", "refused", "unchanged", "refused", "refused"]
      assertEqual(statuses, expected, "the outcomes")
      assertEqual(textsOf(await readAll(log, "a")), ["1"], "the value")
    }),
  ]
}

function forgottenChecks(check: Check): LogCheck[] {
  return [
    check("of forgotten removals the collection keeps the highest version", async (log) => {
      const retention = keep({ removalsForMs: 1_000 })
      const { one } = recorder(log, "a")
      await one(put("other", "", { at: AT }))
      await one(remove("k"), { condition: { version: 7 } })
      await one(remove("l"), { condition: { version: 3 } })
      await log.trim("a", { [KEYS]: retention }, AT + 2_000)
      assertEqual(await log.find("a", KEYS, "k"), undefined, "the forgotten removal")
      for (const key of ["k", "l", "never there"]) {
        await assertRefused(log, put(key, "late"), 7, 8)
        await assertRefused(log, remove(key), 7, 8)
      }
      await recorder(log, "a").one(put("k", "others", { collection: "others" }), {
        condition: { version: 1 },
      })
      const next = await recorder(log, "a").one(put("k", "1"), { condition: { version: 8 } })
      assertEqual(await log.find("a", KEYS, "k"), next, "the key with the version that was named")
    }),

    check("a key that has a value is not judged by what was forgotten", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("l", "1"), { condition: { version: 2 } })
      await one(remove("k"), { condition: { version: 7 } })
      await log.trim("a", { [KEYS]: keep({ removalsForMs: 1_000 }) }, AT + 2_000)
      await one(put("l", "2"), { condition: { version: 3 } })
      assertEqual(textsOf(await fold(log, "a")), ["2"], "the value")
    }),

    check("of trimmed keys the collection keeps the highest version too", async (log) => {
      const { one } = recorder(log, "a", { retention: keep({ entries: 1 }) })
      await one(put("k", "1"), { condition: { version: 7 } })
      await one(put("l", "2"), { condition: { version: 8 } })
      assertEqual(textsOf(await fold(log, "a")), ["2"], "the value that was kept")
      await assertRefused(log, put("k", "late"), 7, 8)
    }),
  ]
}
