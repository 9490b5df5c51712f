import type { Entry } from "../../log/entry.ts"
import { assert, assertEqual } from "./assert.ts"
import type { Check, LogCheck } from "./fixture.ts"
import {
  bytesOf,
  create,
  extend,
  fact,
  KEYS,
  keep,
  keepAll,
  numbers,
  once,
  put,
  remove,
  textsOf,
} from "./operations.ts"
import { readAll } from "./pages.ts"
import { append, recorder } from "./recorder.ts"
import { assertChained, watch } from "./watcher.ts"

export function watchingChecks(check: Check): LogCheck[] {
  return [...contentChecks(check), ...orderChecks(check), ...listenerChecks(check)]
}

function contentChecks(check: Check): LogCheck[] {
  return [
    check("a watcher receives what is appended, in order and chained", async (log) => {
      const { all } = recorder(log, "a")
      const before = await all([fact("before")])
      const watcher = await watch(log, "a")
      const kinds = [
        (text: string) => fact(text),
        (text: string) => put("k", text, { holder: text }),
        (text: string) => extend("k", text),
        (text: string) => create(text),
      ]
      const operations = numbers(60).map((text, index) => (kinds[index % 4] as (typeof kinds)[0])(text))
      const entries = await all([...operations, remove("k", { body: bytesOf("why") })])
      await watcher.until(entries.at(-1))
      assertEqual(watcher.entries, entries, "what arrived")
      assertChained(watcher.batches, [...before, ...entries])
      const { epoch } = await log.head("a")
      const epochs = new Set(watcher.batches.map((batch) => batch.epoch))
      assertEqual([...epochs], [epoch], "the epochs of the batches")
    }),

    check("an extend arrives as the piece that was added", async (log) => {
      const { one } = recorder(log, "a")
      await one(put("k", "1", { holder: "node" }), { condition: { version: 3 } })
      const watcher = await watch(log, "a")
      const pieces = [await one(extend("k", "2")), await one(extend("k", "3"))]
      await watcher.until(pieces[1])
      assertEqual(watcher.entries, pieces, "what arrived")
      assertEqual(
        watcher.entries.map(({ holder, version }) => [holder, version]),
        [
          ["node", 3],
          ["node", 3],
        ],
        "of",
      )
    }),

    check("an entry arrives even if it is superseded or trimmed at once", async (log) => {
      const watcher = await watch(log, "a")
      const { all } = recorder(log, "a", { retention: keep({ entries: 0, removalsForMs: 0 }) })
      const entries = await all([fact("1"), put("k", "1"), fact("2"), create("2"), remove("l"), fact("3")])
      await watcher.until(entries.at(-1))
      assertEqual(watcher.entries, entries, "what arrived")
    }),

    check("what appends no entry does not arrive", async (log) => {
      const dedupe = once("key")
      const { one } = recorder(log, "a")
      await one(fact("1"), { dedupe })
      await one(put("k", "1"), { condition: { version: 5 } })
      await one(remove("l"), { condition: { version: 5 } })
      const watcher = await watch(log, "a")
      const outcomes = [
        await append(log, "a", fact("1"), { dedupe }),
        await append(log, "a", put("k", "1", { quiet: true, holder: "node" }), { condition: { version: 6 } }),
        await append(log, "a", put("k", "1", { holder: "node" }), { condition: { version: 6 } }),
        await append(log, "a", put("k", "2"), { condition: { version: 6 } }),
        await append(log, "a", remove("l"), { condition: { version: 8 } }),
        await append(log, "a", extend("never there", "2")),
      ]
      const statuses = outcomes.map(({ status }) => status)
      const expected = ["duplicate", "unchanged", "unchanged", "refused", "unchanged", "refused"]
      assertEqual(statuses, expected, "the outcomes")
      await append(log, "a", fact("3"), { dedupe: { ...dedupe, fingerprint: "x" } }).catch(() => undefined)
      await watcher.until(await one(fact("2")))
      assertEqual(textsOf(watcher.entries), ["2"], "what arrived")
      assertEqual(watcher.batches[0]?.after, outcomes[4]?.position.offset, "what it follows")
    }),
  ]
}

function orderChecks(check: Check): LogCheck[] {
  return [
    check("what many append at once arrives in the order of the offsets", async (log) => {
      const watcher = await watch(log, "a")
      await Promise.all(
        numbers(100).map((text, index) => append(log, "a", index % 2 === 0 ? fact(text) : put("k", text))),
      )
      await watcher.until(await recorder(log, "a").one(fact("last")))
      assertEqual(watcher.entries.length, 101, "how many arrived")
      assertChained(watcher.batches, watcher.entries)
    }),

    check("what arrives can be read", async (log) => {
      const failures: string[] = []
      const reads: Promise<void>[] = []
      const stop = await log.watch("a", ({ entries }) => {
        const { offset } = entries.at(-1) as Entry
        reads.push(
          log.head("a").then(({ top }) => {
            if (top < offset) failures.push(`${offset} arrived when the top was ${top}`)
          }),
        )
      })
      await Promise.all(numbers(50).map((text) => append(log, "a", fact(text))))
      const watcher = await watch(log, "a")
      await watcher.until(await recorder(log, "a").one(fact("last")))
      await Promise.all(reads)
      assertEqual(failures, [], "entries that arrived before they were there")
      stop()
    }),

    check("watching and reading together miss nothing", async (log) => {
      const appends: Promise<unknown>[] = []
      for (const text of numbers(200)) {
        appends.push(log.append("a", fact(text), { retention: keepAll }))
        if (text === "100") await Promise.resolve()
      }
      const watcher = await watch(log, "a")
      const { entries, next } = await log.read("a", {
        after: 0,
        through: Number.MAX_SAFE_INTEGER,
        select: "all",
        entriesMax: 10_000,
        bytesMax: 1e9,
      })
      await Promise.all(appends)
      await watcher.until(await recorder(log, "a").one(fact("last")))
      const arrived = watcher.entries.filter(({ offset }) => offset > next)
      assertEqual(textsOf([...entries, ...arrived]), [...numbers(200), "last"], "what was read, then arrived")
    }),

    check("a value that grows is whole, read up to a point and watched from there", async (log) => {
      const pieces = numbers(100).map((text) => `${text} `)
      const appends = [append(log, "a", put("k", "start "))]
      for (const text of pieces.slice(0, 50)) appends.push(append(log, "a", extend("k", text)))
      const watcher = await watch(log, "a")
      const read = await readAll(log, "a", { collections: [KEYS] })
      for (const text of pieces.slice(50)) appends.push(append(log, "a", extend("k", text)))
      await Promise.all(appends)
      await watcher.until(await recorder(log, "a").one(fact("last")))
      const from = read.at(-1)?.offset ?? 0
      const arrived = watcher.entries.filter(({ offset, collection }) => offset > from && collection === KEYS)
      assertEqual(textsOf([...read, ...arrived]).join(""), `start ${pieces.join("")}`, "the value")
    }),
  ]
}

function listenerChecks(check: Check): LogCheck[] {
  return [
    check("a watcher receives its own channel only", async (log) => {
      const watcher = await watch(log, "a")
      for (const channel of ["ab", ""]) await append(log, channel, fact("other"))
      await watcher.until(await recorder(log, "a").one(fact("own")))
      assertEqual(textsOf(watcher.entries), ["own"], "what arrived")
    }),

    check("a watcher that has stopped receives nothing, and the others go on", async (log) => {
      const [stopping, staying] = [await watch(log, "a"), await watch(log, "a")]
      await stopping.until(await recorder(log, "a").one(fact("1")))
      stopping.stop()
      stopping.stop()
      await staying.until(await recorder(log, "a").one(fact("2")))
      assertEqual(textsOf(stopping.entries), ["1"], "what the first received")
      assertEqual(textsOf(staying.entries), ["1", "2"], "what the second received")
    }),

    check("a watcher that throws hinders neither the append nor the others", async (log) => {
      await log.watch("a", () => {
        throw new Error("thrown by a watcher, on purpose")
      })
      const watcher = await watch(log, "a")
      const entries = await recorder(log, "a").all([fact("1"), put("k", "2")])
      await watcher.until(entries[1])
      assertEqual(watcher.entries, entries, "what the other received")
    }),

    check("a watcher may append, and all receive it in order", async (log) => {
      const appends: Promise<unknown>[] = []
      const stop = await log.watch("a", ({ entries }) => {
        for (const { body } of entries) {
          if (body.length < 4) appends.push(append(log, "a", fact("x".repeat(body.length + 1))))
        }
      })
      const watcher = await watch(log, "a")
      await append(log, "a", fact("x"))
      await watcher.untilThat((entries) => entries.at(-1)?.body.length === 4)
      await Promise.all(appends)
      assertEqual(textsOf(watcher.entries), ["x", "xx", "xxx", "xxxx"], "what arrived")
      assertChained(watcher.batches, watcher.entries)
      stop()
    }),

    check("a watcher of a forgotten channel receives what comes next, and can tell", async (log) => {
      const watcher = await watch(log, "a")
      const first = await recorder(log, "a").one(fact("1"))
      await watcher.until(first)
      await log.trim("a", { facts: keep({ entries: 0 }) }, first.at)
      const { base, top } = await log.head("a")
      const next = await recorder(log, "a").one(fact("2"))
      await watcher.until(next)
      assertEqual(watcher.entries, [first, next], "what arrived")
      const after = watcher.batches.at(-1)?.after ?? 0
      assert(after === first.offset || (after === base && base === top), `the last batch follows ${after}`)
    }),
  ]
}
