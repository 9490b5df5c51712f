import { statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { type LmdbLogOptions, lmdbLog } from "../../src/logs/lmdb/index.ts"
import { Store } from "../../src/logs/lmdb/store.ts"
import { event, keepAll, set, temporaryFolder, textsOf } from "./folders.ts"

const keep = keepAll
const once = (key: string, windowMs = 300_000) => ({ key, fingerprint: "", windowMs })

async function withLog(
  options: LmdbLogOptions,
  use: (log: Log, folder: string) => Promise<void>,
): Promise<void> {
  const folder = temporaryFolder()
  const log = lmdbLog(folder, options)
  await use(log, folder)
  await log.close()
}

/** Looks into a folder as the log does. */
async function inspected<Result>(folder: string, look: (store: Store) => Result): Promise<Result> {
  const store = new Store(folder, { readOnly: true })
  const result = look(store)
  await store.close()
  return result
}

describe("the LMDB log's limits:", () => {
  test("more channels than it may have are refused", async () => {
    await withLog({ channelsMax: 2 }, async (log) => {
      for (const channel of ["a", "b"]) await log.append(channel, event("1"), { keep })
      const refused = log.append("c", event("1"), { keep })
      await expect(refused).rejects.toMatchObject({ code: "log_full", limit: 2 })
      await log.append("a", event("2"), { keep })
      expect(await textsOf(log, "a")).toEqual(["1", "2"])
    })
  })

  test("more keys than a channel may have are refused, beside what else is in the same transaction", async () => {
    await withLog({ keysPerChannelMax: 2 }, async (log) => {
      const outcomes = await Promise.allSettled(
        ["a", "b", "c", "a"].map((key, index) => log.append("a", set(key, `${index}`), { keep })),
      )
      expect(outcomes.map(({ status }) => status)).toEqual([
        "fulfilled",
        "fulfilled",
        "rejected",
        "fulfilled",
      ])
      expect(outcomes[2]).toMatchObject({ reason: { code: "log_full", limit: 2 } })
      expect(await textsOf(log, "a")).toEqual(["1", "3"])
      expect(await log.head("a")).toMatchObject({ top: 3 })
    })
  })

  test("more appends than may wait are refused", async () => {
    await withLog({ pendingAppendsMax: 3 }, async (log) => {
      const outcomes = await Promise.allSettled(
        ["1", "2", "3", "4"].map((text) => log.append("a", event(text), { keep })),
      )
      expect(outcomes[3]).toMatchObject({ reason: { code: "log_unavailable", limit: 3 } })
      expect(await textsOf(log, "a")).toEqual(["1", "2", "3"])
    })
  })

  test("the oldest of too many idempotency keys is forgotten, also when the log is opened again", async () => {
    const folder = temporaryFolder()
    const first = lmdbLog(folder, { dedupeKeysPerChannelMax: 2 })
    for (const key of ["1", "2", "3"]) await first.append("a", event(key), { keep, dedupe: once(key) })
    await first.close()
    const log = lmdbLog(folder, { dedupeKeysPerChannelMax: 2 })
    expect(await log.append("a", event("2"), { keep, dedupe: once("2") })).toMatchObject({ duplicate: true })
    expect(await log.append("a", event("1"), { keep, dedupe: once("1") })).toMatchObject({ duplicate: false })
    await log.close()
  })
})

describe("the LMDB log's file", () => {
  test("holds little more than what is retained", async () => {
    await withLog({}, async (log, folder) => {
      const append = (count: number) =>
        log.append("a", event("x".repeat(500), count), {
          keep: { ...keep, events: 100 },
          dedupe: once(`${count}`, 50),
        })
      for (let count = 0; count < 5_000; count += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, index) => append(count + index)))
      }
      const counts = await inspected(folder, (store) => ({
        entries: store.entries.getKeysCount(),
        journal: store.journal.getKeysCount(),
      }))
      // Trimmed events are deleted in chunks of 64; besides, there is the head.
      expect(counts.entries).toBeLessThanOrEqual(100 + 64 + 1)
      expect(counts.journal).toBeLessThan(20)
    })
  })

  test("stops growing when as much is trimmed as is appended", async () => {
    // With sync there is a checkpoint after each append, so nothing depends on when the next one comes.
    await withLog({ sync: true }, async (log, folder) => {
      const size = async (appends: number) => {
        for (let count = 0; count < appends; count++) {
          await log.append("a", event("x".repeat(2_000)), { keep: { ...keep, events: 50 } })
        }
        return statSync(join(folder, "data.mdb")).size
      }
      const early = await size(300)
      expect(await size(600)).toBeLessThan(1.2 * early)
    })
  })

  test("loses what was trimmed before it was opened again, and only that", async () => {
    const folder = temporaryFolder()
    let log = lmdbLog(folder)
    for (let count = 0; count < 30; count++) {
      await log.append("a", event(`${count}`), { keep: { ...keep, events: 10 } })
    }
    await log.close()
    const events = (store: Store) => [...store.events(1, 0, 1_000, 1_000)].length
    expect(await inspected(folder, events)).toBe(30)
    log = lmdbLog(folder)
    await log.trim("a", { ...keep, events: 5 }, Date.now())
    expect(await textsOf(log, "a")).toEqual(["25", "26", "27", "28", "29"])
    await log.close()
    // The run of the event that was trimmed last is deleted with the next one.
    expect(await inspected(folder, events)).toBe(6)
  })
})

describe("a log that is open for reading only", () => {
  test("refuses appends and tells watchers nothing", async () => {
    await withLog({}, async (log, folder) => {
      await log.append("a", event("1"), { keep })
      const reader = lmdbLog(folder, { readOnly: true })
      await expect(reader.append("a", event("2"), { keep })).rejects.toMatchObject({
        code: "log_unavailable",
      })
      const stop = await reader.watch("a", () => expect.unreachable())
      await log.append("a", event("2"), { keep })
      expect(await textsOf(reader, "a")).toEqual(["1", "2"])
      expect(await reader.head("a")).toEqual(await log.head("a"))
      expect(await reader.offsetOfLast("a", 1)).toBe(1)
      expect(await reader.head("unused")).toMatchObject({ top: 0, floor: 0 })
      stop()
      await reader.close()
      await expect(reader.head("a")).rejects.toMatchObject({ code: "closed" })
    })
  })
})
