import { readdirSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { lmdbLog } from "../../src/logs/lmdb/index.ts"
import { child } from "./child.ts"
import { entriesOf, fact, keepAll, temporaryFolder, textsOf } from "./folders.ts"

interface Acknowledged {
  readonly channel: string
  readonly text: string
  readonly epoch: string
  readonly offset: number
}

const PROCESS_TIMEOUT_MS = 300_000

describe("a process that is killed while it publishes", () => {
  test.each([
    ["without sync", { sync: false }],
    ["with sync", { sync: true }],
    ["with a checkpoint every millisecond", { checkpointIntervalMs: 1 }],
    ["when only the last fifty are kept", { keep: 50 }],
  ])(
    "loses nothing acknowledged, and no offset means two things, %s",
    async (_, options) => {
      const folder = temporaryFolder()
      const acknowledged: Acknowledged[] = []
      for (let round = 0; round < 4; round++) {
        const publisher = child("publish", folder, options)
        for (let count = 0; count < 100 + 217 * round; count++) {
          acknowledged.push((await publisher.hear()) as unknown as Acknowledged)
        }
        acknowledged.push(...((await publisher.kill()) as unknown as Acknowledged[]))
        await expectAllThere(folder, acknowledged)
      }
    },
    PROCESS_TIMEOUT_MS,
  )

  test(
    "is found gone by the next one, which appends above all that was acknowledged",
    async () => {
      const folder = temporaryFolder()
      const publisher = child("publish", folder)
      const first = (await publisher.hear()) as unknown as Acknowledged
      const tops = new Map([[first.channel, first.offset]])
      for (const { channel, offset } of (await publisher.kill()) as unknown as Acknowledged[]) {
        if (channel !== undefined) tops.set(channel, Math.max(offset, tops.get(channel) ?? 0))
      }
      const log = lmdbLog(folder)
      for (const [channel, top] of tops) {
        const { position } = await log.append(channel, fact("next"), { retention: keepAll })
        expect(position.epoch).toBe(first.epoch)
        expect(position.offset).toBeGreaterThan(top)
      }
      await log.close()
    },
    PROCESS_TIMEOUT_MS,
  )
})

async function expectAllThere(folder: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const log = lmdbLog(folder)
  const { epoch } = await log.head("channel 0")
  for (const channel of ["channel 0", "channel 1", "channel 2", "channel 3"]) {
    const entries = await entriesOf(log, channel)
    const kept = new Map(entries.map(({ offset, body }) => [offset, Buffer.from(body).toString().trim()]))
    const floor = (await log.head(channel)).floors.facts ?? 0
    const due = acknowledged.filter((one) => one.channel === channel && one.offset > floor)
    expect(entries.every(({ offset }) => offset > floor)).toBe(true)
    expect(due.length).toBeGreaterThan(0)
    expect(due.filter(({ offset, text }) => kept.get(offset) !== text)).toEqual([])
    expect(new Set(kept.values()).size).toBe(entries.length)
  }
  expect(acknowledged.filter((one) => one.epoch !== epoch)).toEqual([])
  // What is in the state's index and what is in its values has to agree, whatever moment the process was killed at.
  const fold = await entriesOf(log, "state", "fold")
  expect(new Set(fold.map(({ key }) => key)).size).toBe(fold.length)
  expect(await entriesOf(log, "state")).toEqual(fold)
  const range = { collection: "keys", before: Number.MAX_SAFE_INTEGER, entriesMax: 1e6, bytesMax: 1e9 }
  const { entries: created } = await log.readBack("state", range)
  expect([...created].sort((a, b) => a.offset - b.offset)).toEqual(fold)
  await log.close()
}

describe("a folder that a process writes to", () => {
  test(
    "is refused to a second one, until the first is gone",
    async () => {
      const folder = temporaryFolder()
      const first = child("hold", folder)
      expect(await first.hear()).toEqual({ opened: true })
      expect(() => lmdbLog(folder)).toThrow(expect.objectContaining({ code: "log_in_use" }))
      expect(() => lmdbLog(folder)).toThrow(`process ${first.pid}`)
      await first.kill()
      const log = lmdbLog(folder)
      await log.close()
      expect(readdirSync(folder)).not.toContain("writer.lock")
    },
    PROCESS_TIMEOUT_MS,
  )

  test("is refused to the same one a second time, until the first log is closed", async () => {
    const folder = temporaryFolder()
    const log = lmdbLog(folder)
    expect(() => lmdbLog(folder)).toThrow(expect.objectContaining({ code: "log_in_use" }))
    expect(await log.head("a")).toMatchObject({ top: 0 })
    await log.close()
    await lmdbLog(folder).close()
  })

  test(
    "is read by others, who see what was acknowledged",
    async () => {
      const folder = temporaryFolder()
      const log = lmdbLog(folder)
      const readers = [child("read", folder), child("read", folder)]
      for (const text of ["1", "2", "3"]) {
        await log.append("a", fact(text), { retention: { ...keepAll, entries: 2 } })
        for (const reader of readers) {
          reader.tell("a")
          expect(await reader.hear()).toEqual({ head: await log.head("a"), texts: await textsOf(log, "a") })
        }
      }
      for (const reader of readers) await reader.end()
      await log.close()
    },
    PROCESS_TIMEOUT_MS,
  )

  test("tells its writer when another has taken over", async () => {
    const folder = temporaryFolder()
    const first = lmdbLog(folder)
    await first.append("a", fact("first"), { retention: keepAll })
    // As it comes about when a container is replaced: the newcomer cannot see the process that holds the lock.
    const { Store } = await import("../../src/logs/lmdb/store.ts")
    const store = new Store(folder, { readOnly: false })
    store.transact(() => store.putMeta("writer", "another"))
    await expect(first.append("a", fact("second"), { retention: keepAll })).rejects.toMatchObject({
      code: "log_in_use",
    })
    expect(await textsOf(first, "a")).toEqual(["first"])
    await store.close()
    await first.close()
  })
})
