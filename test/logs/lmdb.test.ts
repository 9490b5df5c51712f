import { statSync } from "node:fs"
import { join } from "node:path"
import { describe, expect, test } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { type LmdbLogOptions, lmdbLog } from "../../src/logs/lmdb/index.ts"
import { Store } from "../../src/logs/lmdb/store.ts"
import { fact, keepAll, put, temporaryFolder, textsOf } from "./folders.ts"

const retention = keepAll
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
      for (const channel of ["a", "b"]) await log.append(channel, fact("1"), { retention })
      const refused = log.append("c", fact("1"), { retention })
      await expect(refused).rejects.toMatchObject({ code: "log_full", limit: 2 })
      await log.append("a", fact("2"), { retention })
      expect(await textsOf(log, "a")).toEqual(["1", "2"])
    })
  })

  test("more keys than a collection may have are refused, and nothing else is", async () => {
    await withLog({ keysPerCollectionMax: 2 }, async (log) => {
      const outcomes = await Promise.allSettled(
        ["a", "b", "c", "a"].map((key, index) => log.append("a", put(key, `${index}`), { retention })),
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
        ["1", "2", "3", "4"].map((text) => log.append("a", fact(text), { retention })),
      )
      expect(outcomes[3]).toMatchObject({ reason: { code: "log_unavailable", limit: 3 } })
      expect(await textsOf(log, "a")).toEqual(["1", "2", "3"])
    })
  })

  test("more idempotency keys than a channel may have are refused, also when it is opened again", async () => {
    const folder = temporaryFolder()
    const append = (log: Log, key: string) => log.append("a", fact(key), { retention, dedupe: once(key) })
    const first = lmdbLog(folder, { idempotencyKeysPerChannelMax: 2 })
    for (const key of ["1", "2"]) await append(first, key)
    await expect(append(first, "3")).rejects.toMatchObject({ code: "log_full", limit: 2 })
    await first.close()
    const log = lmdbLog(folder, { idempotencyKeysPerChannelMax: 2 })
    expect(await append(log, "1")).toMatchObject({ status: "duplicate" })
    await expect(append(log, "3")).rejects.toMatchObject({ code: "log_full", limit: 2 })
    expect(await textsOf(log, "a")).toEqual(["1", "2"])
    await log.close()
  })

  test("more collections than a channel may have are refused", async () => {
    await withLog({}, async (log) => {
      const outcomes = await Promise.allSettled(
        Array.from({ length: 1_001 }, (_, index) =>
          log.append("a", { ...fact("1"), collection: `${index}` }, { retention }),
        ),
      )
      expect(outcomes.at(-2)).toMatchObject({ status: "fulfilled" })
      expect(outcomes.at(-1)).toMatchObject({ reason: { code: "log_full", limit: 1_000 } })
    })
  })
})

test("a collection of facts takes no keys, and one of keys no facts", async () => {
  await withLog({}, async (log) => {
    await log.append("a", fact("1"), { retention })
    await log.append("a", put("k", "2"), { retention })
    const outcomes = await Promise.allSettled([
      log.append("a", { ...put("k", "x"), collection: "facts" }, { retention }),
      log.append("a", { ...fact("x"), collection: "keys" }, { retention }),
      log.append("a", fact("3"), { retention }),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "fulfilled"])
    expect(await textsOf(log, "a")).toEqual(["1", "2", "3"])
  })
})

describe("what the LMDB log has forgotten", () => {
  const brief = { ...keepAll, forMs: 1_000, removalsForMs: 1_000 }

  test("is gone from the file", async () => {
    await withLog({}, async (log, folder) => {
      const account = { name: "ada", keysMax: 9, idempotencyKeysMax: 9 }
      const options = { retention: brief, dedupe: once("1", 1_000), account }
      await log.append("a", fact("1", 0), options)
      for (const text of ["x", "x".repeat(5_000)]) {
        await log.append("a", { ...put(text.slice(0, 9), text), at: 0 }, { retention: brief, account })
        const more = { operation: "extend", collection: "keys", key: text.slice(0, 9) } as const
        await log.append("a", { ...more, body: Buffer.from("more"), at: 0 }, { retention: brief })
      }
      const removal = {
        operation: "remove",
        collection: "keys",
        key: "x",
        body: new Uint8Array(0),
        at: 0,
      } as const
      await log.append("a", removal, { retention: brief })
      const count = (store: Store) => store.entries.getKeysCount() + store.channels.getKeysCount()
      expect(await inspected(folder, count)).toBeGreaterThan(0)
      await log.trim("a", {}, 10_000)
      expect(await inspected(folder, count)).toBe(0)
      expect(await log.head("a")).toMatchObject({ base: 6, top: 6 })
      expect(await log.head("other")).toMatchObject({ base: 6, top: 6 })
    })
  })

  test("is found by the appends to other channels, though nobody trims", async () => {
    await withLog({}, async (log) => {
      for (const text of ["1", "2"]) await log.append("a", fact(text, 0), { retention: brief })
      for (;;) {
        await log.append("b", fact("later", 10_000), { retention })
        const { base } = await log.head("a")
        if (base > 0) break
      }
      expect(await log.head("a")).toMatchObject({ base: 2, top: 2, floors: {} })
      expect(await log.head("b")).toMatchObject({ base: 0 })
    })
  })

  test("does not move a channel that is watched, whether it has entries or not", async () => {
    await withLog({}, async (log) => {
      await log.append("a", fact("1", 0), { retention: brief })
      const stops = [await log.watch("a", () => undefined), await log.watch("never used", () => undefined)]
      await log.append("b", fact("1", 0), { retention: brief })
      for (const channel of ["a", "b"]) await log.trim(channel, {}, 10_000)
      expect(await log.head("a")).toMatchObject({ base: 0, top: 1, floors: { facts: 1 } })
      expect(await log.head("b")).toMatchObject({ base: 1, top: 1 })
      expect(await log.head("never used")).toMatchObject({ base: 0, top: 0 })
      expect(await log.append("never used", fact("1"), { retention })).toMatchObject({
        position: { offset: 1 },
      })
      for (const stop of stops) stop()
      await log.trim("a", {}, 10_000)
      expect(await log.head("a")).toMatchObject({ base: 1, top: 1 })
    })
  })

  test("makes room for other channels", async () => {
    await withLog({ channelsMax: 1 }, async (log) => {
      for (const channel of ["a", "b", "c"]) {
        await log.append(channel, fact("1", 0), { retention: brief })
        await expect(log.append("z", fact("1"), { retention })).rejects.toMatchObject({ code: "log_full" })
        await log.trim(channel, {}, 10_000)
      }
    })
  })
})

describe("the LMDB log's file", () => {
  test("holds little more than what is retained", async () => {
    await withLog({}, async (log, folder) => {
      const append = (count: number) =>
        log.append("a", fact("x".repeat(500), count), {
          retention: { ...retention, entries: 100 },
          dedupe: once(`${count}`, 50),
        })
      for (let count = 0; count < 5_000; count += 50) {
        await Promise.all(Array.from({ length: 50 }, (_, index) => append(count + index)))
      }
      const counts = await inspected(folder, (store) => ({
        entries: store.entries.getKeysCount(),
        journal: store.journal.getKeysCount(),
      }))
      // Trimmed facts are deleted in chunks of 64; besides, there is the head.
      expect(counts.entries).toBeLessThanOrEqual(100 + 64 + 1)
      expect(counts.journal).toBeLessThan(20)
    })
  })

  test("stops growing when as much is trimmed as is appended", async () => {
    // With sync there is a checkpoint after each append, so nothing depends on when the next one comes.
    await withLog({ sync: true }, async (log, folder) => {
      const size = async (appends: number) => {
        for (let count = 0; count < appends; count++) {
          await log.append("a", fact("x".repeat(2_000)), { retention: { ...retention, entries: 50 } })
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
      await log.append("a", fact(`${count}`), { retention: { ...retention, entries: 10 } })
    }
    await log.close()
    const place = { channel: 1, collection: 0 }
    const facts = (store: Store) => [...store.facts(place, "facts", 0, 1_000)].length
    expect(await inspected(folder, facts)).toBeGreaterThanOrEqual(10)
    log = lmdbLog(folder)
    await log.trim("a", { facts: { ...retention, entries: 5 } }, Date.now())
    expect(await textsOf(log, "a")).toEqual(["25", "26", "27", "28", "29"])
    await log.close()
    // the run of the fact that was trimmed last is deleted with the next one
    expect(await inspected(folder, facts)).toBe(6)
  })
})

describe("a log that is open for reading only", () => {
  test("refuses appends and tells watchers nothing", async () => {
    await withLog({}, async (log, folder) => {
      await log.append("a", fact("1"), { retention })
      const reader = lmdbLog(folder, { readOnly: true })
      await expect(reader.append("a", fact("2"), { retention })).rejects.toMatchObject({
        code: "log_unavailable",
      })
      const stop = await reader.watch("a", () => expect.unreachable())
      await log.append("a", fact("2"), { retention })
      expect(await textsOf(reader, "a")).toEqual(["1", "2"])
      expect(await reader.head("a")).toEqual(await log.head("a"))
      expect(await reader.offsetOfLast("a", "facts", 1)).toBe(1)
      expect(await reader.find("a", "keys", "k")).toBeUndefined()
      expect(await reader.head("unused")).toMatchObject({ top: 0, base: 0, floors: {} })
      stop()
      await reader.close()
      await expect(reader.head("a")).rejects.toMatchObject({ code: "closed" })
    })
  })
})
