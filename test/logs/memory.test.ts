import { describe, expect, test } from "vitest"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { logContract } from "../../src/testing/log-contract.ts"
import { event, keepAll, set, textsOf } from "./folders.ts"

describe("the memory log keeps the contract of logs:", () => {
  const make = async () => {
    const log = memoryLog({ onWatcherError: () => undefined })
    return { log, destroy: () => log.close() }
  }
  for (const { name, run } of logContract(make)) test(name, run)
})

describe("the memory log", () => {
  const keep = keepAll
  const once = (key: string) => ({ key, fingerprint: "", windowMs: 1_000 })

  test("has an epoch of its own, or the one that it is given", async () => {
    const [one, other] = [await memoryLog().head("a"), await memoryLog().head("a")]
    expect(one.epoch).not.toBe(other.epoch)
    expect((await memoryLog({ epoch: "given" }).head("a")).epoch).toBe("given")
  })

  test("tells watchers before the append resolves, within the call", async () => {
    const log = memoryLog()
    const told: string[] = []
    await log.watch("a", ({ entries }) => told.push(...entries.map(({ offset }) => `told ${offset}`)))
    const appended = log.append("a", event("1"), { keep })
    expect(told).toEqual(["told 1"])
    await appended
  })

  test("keeps the payload that it was given, and copies nothing", async () => {
    const log = memoryLog()
    const draft = event("1")
    await log.append("a", draft, { keep })
    const range = { after: 0, through: 1, select: "all", entriesMax: 1, bytesMax: 1 } as const
    expect((await log.read("a", range)).entries[0]?.body).toBe(draft.body)
  })

  test("tells what a watcher throws to who wants to know", async () => {
    const errors: unknown[] = []
    const log = memoryLog({ onWatcherError: (error) => errors.push(error) })
    const thrown = new Error("thrown on purpose")
    await log.watch("a", () => {
      throw thrown
    })
    await log.append("a", event("1"), { keep })
    expect(errors).toEqual([thrown])
  })

  test("refuses more channels than it may have, and serves those that it has", async () => {
    const log = memoryLog({ channelsMax: 2 })
    for (const channel of ["a", "b"]) await log.append(channel, event("1"), { keep })
    await expect(log.append("c", event("1"), { keep })).rejects.toMatchObject({ code: "log_full", limit: 2 })
    await log.append("a", event("2"), { keep })
    expect(await textsOf(log, "a")).toEqual(["1", "2"])
    expect(await log.head("c")).toMatchObject({ top: 0 })
  })

  test("refuses more keys than a channel may have, and changes those that there are", async () => {
    const log = memoryLog({ keysPerChannelMax: 2 })
    for (const key of ["a", "b"]) await log.append("a", set(key, "1"), { keep })
    await expect(log.append("a", set("c", "1"), { keep })).rejects.toMatchObject({
      code: "log_full",
      limit: 2,
    })
    await log.append("a", set("a", "2"), { keep })
    await log.append("a", { ...set("b", ""), kind: "delete" }, { keep })
    await log.append("a", set("c", "3"), { keep })
    expect(await textsOf(log, "a")).toEqual(["2", "", "3"])
  })

  test("remembers as many deletions as it may, and raises the floor for the others", async () => {
    const log = memoryLog({ tombstonesPerChannelMax: 2 })
    for (const key of ["a", "b", "c", "d"])
      await log.append("a", { ...set(key, ""), kind: "delete" }, { keep })
    const { entries, head } = await log.read("a", {
      after: 0,
      through: 9,
      select: "all",
      entriesMax: 9,
      bytesMax: 9,
    })
    expect(entries.map(({ key }) => key)).toEqual(["c", "d"])
    expect(head.floor).toBe(2)
  })

  test("remembers as many deletions as there are keys, if these are more", async () => {
    const log = memoryLog({ tombstonesPerChannelMax: 1 })
    for (const key of ["a", "b", "c", "d"]) await log.append("a", set(key, ""), { keep })
    for (const key of ["a", "b"]) await log.append("a", { ...set(key, ""), kind: "delete" }, { keep })
    expect(await log.head("a")).toMatchObject({ floor: 0 })
  })

  test("forgets the oldest idempotency key when there are too many", async () => {
    const log = memoryLog({ dedupeKeysPerChannelMax: 2 })
    for (const key of ["1", "2", "3"]) await log.append("a", event(key, 0), { keep, dedupe: once(key) })
    const third = await log.append("a", event("3", 0), { keep, dedupe: once("3") })
    expect(third).toMatchObject({ duplicate: true, position: { offset: 3 } })
    const first = await log.append("a", event("1", 0), { keep, dedupe: once("1") })
    expect(first).toMatchObject({ duplicate: false, position: { offset: 4 } })
  })
})
