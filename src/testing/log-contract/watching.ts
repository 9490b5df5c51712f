import type { Batch, Entry, Log } from "../../log/log.ts"
import { assert, assertEqual } from "./assert.ts"
import { once } from "./deduping.ts"
import {
  append,
  appendAll,
  type Check,
  event,
  keepAll,
  type LogCheck,
  numbers,
  remove,
  set,
  textsOf,
} from "./fixture.ts"

export function watchingChecks(check: Check): LogCheck[] {
  return [
    check("a watcher is told what is appended, in order and chained", async (log) => {
      const before = await appendAll(log, "a", [event("before")])
      const watcher = await watch(log, "a")
      const drafts = numbers(50).map((text, index) => (index % 3 === 0 ? set("k", text) : event(text)))
      const entries = await appendAll(log, "a", drafts)
      await watcher.until(entries.at(-1))
      assertEqual(watcher.entries, entries, "what was told")
      assertChained(watcher.batches, [...before, ...entries])
      const { epoch } = await log.head("a")
      assert(
        watcher.batches.every((batch) => batch.epoch === epoch),
        "every batch is of the log's epoch",
      )
    }),

    check("what is appended at once by many is told in the order of the offsets", async (log) => {
      const watcher = await watch(log, "a")
      await Promise.all(numbers(100).map((text) => append(log, "a", event(text))))
      const last = await appendAll(log, "a", [event("last")])
      await watcher.until(last[0])
      assertEqual(watcher.entries.length, 101, "how many were told")
      assertChained(watcher.batches, watcher.entries)
    }),

    check("an entry is told even if it is superseded or trimmed at once", async (log) => {
      const watcher = await watch(log, "a")
      const drafts = [set("k", "1"), set("k", "2"), remove("k"), event("1"), event("2")]
      const entries = await appendAll(log, "a", drafts, { events: 0 })
      await watcher.until(entries.at(-1))
      assertEqual(watcher.entries, entries, "what was told")
      assertChained(watcher.batches, entries)
    }),

    check("what is told can be read", async (log) => {
      const failures: string[] = []
      const reads: Promise<void>[] = []
      const stop = await log.watch("a", ({ entries }) => {
        const { offset } = entries.at(-1) as Entry
        reads.push(
          log.head("a").then(({ top }) => {
            if (top < offset) failures.push(`${offset} was told when the top was ${top}`)
          }),
        )
      })
      await Promise.all(numbers(50).map((text) => append(log, "a", event(text))))
      const watcher = await watch(log, "a")
      await watcher.until((await appendAll(log, "a", [event("last")]))[0])
      await Promise.all(reads)
      assertEqual(failures, [], "entries that were told before they were there")
      stop()
    }),

    check("a duplicate is not told", async (log) => {
      await append(log, "a", event("1"), { dedupe: once("key") })
      const watcher = await watch(log, "a")
      await append(log, "a", event("1"), { dedupe: once("key") })
      const last = await appendAll(log, "a", [event("2")])
      await watcher.until(last[0])
      assertEqual(textsOf(watcher.entries), ["2"], "what was told")
    }),

    check("a watcher is told of its own channel only", async (log) => {
      const watcher = await watch(log, "a")
      await appendAll(log, "ab", [event("other")])
      await appendAll(log, "", [event("other")])
      await watcher.until((await appendAll(log, "a", [event("own")]))[0])
      assertEqual(textsOf(watcher.entries), ["own"], "what was told")
    }),

    check("a watcher that has stopped is told nothing, and the others go on", async (log) => {
      const [stopping, staying] = [await watch(log, "a"), await watch(log, "a")]
      const first = await appendAll(log, "a", [event("1")])
      await stopping.until(first[0])
      stopping.stop()
      stopping.stop()
      await staying.until((await appendAll(log, "a", [event("2")]))[0])
      assertEqual(textsOf(stopping.entries), ["1"], "what the first was told")
      assertEqual(textsOf(staying.entries), ["1", "2"], "what the second was told")
    }),

    check("a watcher that throws hinders neither the append nor the others", async (log) => {
      await log.watch("a", () => {
        throw new Error("thrown by a watcher, on purpose")
      })
      const watcher = await watch(log, "a")
      const entries = await appendAll(log, "a", [event("1"), event("2")])
      await watcher.until(entries[1])
      assertEqual(watcher.entries, entries, "what the other was told")
    }),

    check("a watcher may append, and all are told in order", async (log) => {
      const answered: Promise<unknown>[] = []
      const stop = await log.watch("a", ({ entries }) => {
        for (const { body } of entries) {
          if (body.length < 4) answered.push(append(log, "a", event("x".repeat(body.length + 1))))
        }
      })
      const watcher = await watch(log, "a")
      await append(log, "a", event("x"))
      await watcher.untilTold((entries) => entries.at(-1)?.body.length === 4)
      await Promise.all(answered)
      assertEqual(textsOf(watcher.entries), ["x", "xx", "xxx", "xxxx"], "what was told")
      assertChained(watcher.batches, watcher.entries)
      stop()
    }),

    check("watching and reading together miss nothing", async (log) => {
      const appends: Promise<unknown>[] = []
      for (const text of numbers(200)) {
        appends.push(log.append("a", event(text), { keep: keepAll }))
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
      await watcher.until((await appendAll(log, "a", [event("last")]))[0])
      const told = watcher.entries.filter(({ offset }) => offset > next)
      assertEqual(textsOf([...entries, ...told]), [...numbers(200), "last"], "what was read, then told")
    }),
  ]
}

interface Watching {
  readonly batches: Batch[]
  readonly entries: Entry[]
  readonly stop: () => void
  /** Resolves when this entry was told. */
  readonly until: (entry: Entry | undefined) => Promise<void>
  readonly untilTold: (condition: (entries: readonly Entry[]) => boolean) => Promise<void>
}

export async function watch(log: Log, channel: string): Promise<Watching> {
  const batches: Batch[] = []
  const entries: Entry[] = []
  let waiting: { readonly condition: (entries: readonly Entry[]) => boolean; readonly done: () => void }[] =
    []
  const stop = await log.watch(channel, (batch) => {
    batches.push(batch)
    entries.push(...batch.entries)
    const due = waiting.filter(({ condition }) => condition(entries))
    waiting = waiting.filter((one) => !due.includes(one))
    for (const { done } of due) done()
  })
  const untilTold = async (condition: (entries: readonly Entry[]) => boolean): Promise<void> => {
    if (!condition(entries)) await new Promise<void>((done) => waiting.push({ condition, done }))
  }
  const until = (entry: Entry | undefined): Promise<void> =>
    untilTold((told) => (told.at(-1)?.offset ?? 0) >= (entry?.offset ?? 0))
  return { batches, entries, stop, until, untilTold }
}

/** Checks that each batch names, as what it follows, the entry that stands directly before it. */
export function assertChained(batches: readonly Batch[], all: readonly Entry[]): void {
  const before = new Map(all.map(({ offset }, index) => [offset, all[index - 1]?.offset]))
  for (const { after, entries } of batches) {
    const [first, ...rest] = entries
    assert(first !== undefined, "a batch has entries")
    const previous = before.get(first.offset)
    if (previous !== undefined) assertEqual(after, previous, `what the batch of ${first.offset} follows`)
    else assert(after < first.offset, `the batch of ${first.offset} follows ${after}`)
    let offset = first.offset
    for (const entry of rest) {
      assertEqual(before.get(entry.offset), offset, `the entry before ${entry.offset}`)
      offset = entry.offset
    }
  }
}
