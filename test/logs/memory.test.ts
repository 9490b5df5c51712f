import { describe, expect, test } from "vitest"
import { memoryLog } from "../../src/logs/memory/index.ts"
import {
  AT,
  account,
  create,
  extend,
  FACTS,
  fact,
  KEYS,
  keep,
  keysOf,
  numbers,
  once,
  put,
  remove,
  textOf,
  textsOf,
} from "../../src/testing/log-contract/operations.ts"
import { fold, readAll } from "../../src/testing/log-contract/pages.ts"
import { append, recorder } from "../../src/testing/log-contract/recorder.ts"

const old = keep({ forMs: 1_000, removalsForMs: 1_000 })

describe("the memory log", () => {
  test("has an epoch of its own, or the given one", async () => {
    const [one, other] = [await memoryLog().head("a"), await memoryLog().head("a")]
    expect(one.epoch).not.toBe(other.epoch)
    expect((await memoryLog({ epoch: "given" }).head("a")).epoch).toBe("given")
  })

  test("calls watchers within the call of append", async () => {
    const log = memoryLog()
    const offsets: number[] = []
    await log.watch("a", ({ entries }) => offsets.push(...entries.map(({ offset }) => offset)))
    const appended = append(log, "a", fact("1"))
    expect(offsets).toEqual([1])
    await appended
  })

  test("keeps the given body, and copies nothing", async () => {
    const log = memoryLog()
    const [event, value] = [fact("1"), put("k", "2")]
    await append(log, "a", event)
    await append(log, "a", value)
    expect((await readAll(log, "a")).map(({ body }) => body)).toEqual([event.body, value.body])
    expect((await readAll(log, "a"))[0]?.body).toBe(event.body)
    expect((await log.find("a", KEYS, "k"))?.body).toBe(value.body)
  })

  test("leaves the given body alone when a value is extended", async () => {
    const log = memoryLog()
    const bytes = new TextEncoder().encode("1234")
    await append(log, "a", put("k", "", { body: bytes.subarray(0, 1) }))
    await append(log, "a", extend("k", "x"))
    expect(new TextDecoder().decode(bytes)).toBe("1234")
    expect(textOf(await log.find("a", KEYS, "k"))).toBe("1x")
  })

  test("does not change a value that was read when it is extended", async () => {
    const log = memoryLog()
    await append(log, "a", put("k", "1"))
    const reads = [await log.find("a", KEYS, "k")]
    for (const text of numbers(200)) {
      await append(log, "a", extend("k", text))
      reads.push(await log.find("a", KEYS, "k"))
    }
    const expected = reads.map((_, index) => `1${numbers(index).join("")}`)
    expect(reads.map(textOf)).toEqual(expected)
  })

  test("hands over the error of a watcher", async () => {
    const errors: unknown[] = []
    const log = memoryLog({ onWatcherError: (error) => errors.push(error) })
    const thrown = new Error("thrown on purpose")
    await log.watch("a", () => {
      throw thrown
    })
    await append(log, "a", fact("1"))
    expect(errors).toEqual([thrown])
  })

  test("ends leases by its clock, which is that of the machine by default", async () => {
    const log = memoryLog()
    await append(log, "a", put("ended", "", { leaseMs: 0 }))
    await append(log, "a", put("open", "", { leaseMs: 3_600_000 }))
    const lapsed = { condition: { lapsed: true } } as const
    expect((await append(log, "a", remove("ended"), lapsed)).status).toBe("appended")
    expect((await append(log, "a", remove("open"), lapsed)).status).toBe("refused")
  })
})

describe("the limits of the memory log", () => {
  test("refuse another channel when there are enough, and serve those that there are", async () => {
    const log = memoryLog({ channelsMax: 2 })
    for (const channel of ["a", "b"]) await append(log, channel, fact("1"))
    await expect(append(log, "c", fact("1"))).rejects.toMatchObject({ code: "log_full", limit: 2 })
    await append(log, "a", fact("2"))
    expect(textsOf(await readAll(log, "a"))).toEqual(["1", "2"])
    expect(await log.head("c")).toMatchObject({ top: 0 })
  })

  test("count forgotten channels no more", async () => {
    const log = memoryLog({ channelsMax: 1 })
    await append(log, "a", fact("1"))
    await log.trim("a", { [FACTS]: old }, AT + 2_000)
    await append(log, "b", fact("2", { at: AT + 2_000 }))
    expect(textsOf(await readAll(log, "b"))).toEqual(["2"])
  })

  test("refuse another key when a collection has enough, and change those that it has", async () => {
    const log = memoryLog({ keysPerCollectionMax: 2 })
    const { all } = recorder(log, "a")
    await all([put("a", "1"), put("b", "1")])
    const head = await log.head("a")
    const full = { code: "log_full", limit: 2 }
    await expect(append(log, "a", put("c", "1"))).rejects.toMatchObject(full)
    await expect(append(log, "a", create("1"))).rejects.toMatchObject(full)
    expect(await log.head("a")).toEqual(head)
    await all([put("a", "2"), extend("a", "3"), put("c", "1", { collection: "others" }), fact("1")])
    await all([remove("b"), put("c", "3")])
    expect(textsOf(await fold(log, "a"))).toEqual(["23", "1", "3"])
  })

  test("say that an account is full before they say that a collection is", async () => {
    const log = memoryLog({ keysPerCollectionMax: 1 })
    const ada = { account: account("ada", { keysMax: 1 }) }
    await append(log, "a", put("a"), ada)
    await expect(append(log, "a", put("b"), ada)).rejects.toMatchObject({ code: "quota_exceeded", limit: 1 })
    await expect(append(log, "a", put("b"))).rejects.toMatchObject({ code: "log_full", limit: 1 })
  })

  test("keep the latest removals, and raise the floor for the others", async () => {
    const log = memoryLog({ tombstonesPerCollectionMax: 2 })
    const { all } = recorder(log, "a")
    const removals = await all(["a", "b", "c", "d"].map((key) => remove(key)))
    await all([remove("a", { collection: "others" })])
    expect(keysOf(await readAll(log, "a"))).toEqual(["c", "d", "a"])
    expect((await log.head("a")).floors).toEqual({ [KEYS]: removals[1]?.offset })
  })

  test("keep as many removals as there are keys, if these are more", async () => {
    const log = memoryLog({ tombstonesPerCollectionMax: 1 })
    await recorder(log, "a").all([...["a", "b", "c", "d"].map((key) => put(key)), remove("a"), remove("b")])
    expect((await log.head("a")).floors).toEqual({})
  })

  test("refuse another idempotency key when a channel has enough, and forget none", async () => {
    const log = memoryLog({ idempotencyKeysPerChannelMax: 2 })
    for (const key of ["1", "2"]) await append(log, "a", fact(key), { dedupe: once(key) })
    const third = append(log, "a", fact("3"), { dedupe: once("3") })
    await expect(third).rejects.toMatchObject({ code: "log_full", limit: 2 })
    for (const key of ["1", "2"]) {
      expect(await append(log, "a", fact(key), { dedupe: once(key) })).toMatchObject({ status: "duplicate" })
    }
    const later = { at: AT + 400_000 }
    expect(await append(log, "a", fact("3", later), { dedupe: once("3") })).toMatchObject({
      status: "appended",
    })
  })
})

describe("channels of the memory log", () => {
  test("are forgotten while others are used, by the retention of their last append", async () => {
    const log = memoryLog()
    for (const channel of ["a", "b", "c"]) {
      await append(log, channel, fact("1"), { retention: old })
      await append(log, channel, put("k"), { retention: old })
      await append(log, channel, remove("k"), { retention: old })
    }
    for (const text of numbers(20)) await append(log, "d", fact(text, { at: AT + 5_000 }))
    for (const channel of ["a", "b", "c"]) {
      const head = await log.head(channel)
      expect(head).toMatchObject({ base: head.top, floors: {} })
      expect(head.top).toBeGreaterThanOrEqual(3)
    }
    expect(await log.head("d")).toMatchObject({ base: 0, top: 20 })
  })

  test("keep what they retain while others are used", async () => {
    const log = memoryLog()
    await append(log, "a", fact("1"))
    await append(log, "b", put("k"), { retention: old })
    await append(log, "b", put("k"))
    for (const text of numbers(20)) await append(log, "d", fact(text, { at: AT + 5_000 }))
    expect([await log.head("a"), await log.head("b")]).toMatchObject([
      { base: 0, top: 1 },
      { base: 0, top: 2 },
    ])
  })

  test("are not forgotten while they are watched", async () => {
    const log = memoryLog()
    const afters: number[] = []
    const stop = await log.watch("a", ({ after }) => afters.push(after))
    await append(log, "a", fact("1"), { retention: old })
    await recorder(log, "b").all(numbers(9).map((text) => fact(text, { at: AT + 5_000 })))
    await log.trim("b", { [FACTS]: old }, AT + 9_000)
    expect(await log.head("a")).toMatchObject({ base: 0, top: 1, floors: { [FACTS]: 1 } })
    await append(log, "a", fact("2", { at: AT + 9_000 }), { retention: old })
    expect(afters).toEqual([0, 1])
    await log.trim("a", { [FACTS]: old }, AT + 20_000)
    expect(await log.head("a")).toMatchObject({ base: 0, top: 2 })
    stop()
    expect(await log.head("a")).toMatchObject({ base: 2, top: 2, floors: {} })
  })

  test("go on above what they had when they were forgotten, whatever others had", async () => {
    const log = memoryLog()
    await recorder(log, "a").all(numbers(30).map((text) => fact(text)))
    await recorder(log, "b").all(numbers(3).map((text) => fact(text)))
    for (const channel of ["a", "b"]) await log.trim(channel, { [FACTS]: old }, AT + 2_000)
    expect(await log.head("b")).toMatchObject({ base: 3, top: 3 })
    expect((await recorder(log, "b").one(fact("new"))).offset).toBe(4)
    expect(await log.head("never used")).toMatchObject({ base: 0, top: 0 })
  })

  test("go on above what others of their bucket had", async () => {
    const log = memoryLog()
    const names = numbers(2_000)
    for (const [index, name] of names.entries()) {
      await recorder(log, name).all(numbers(1 + (index % 3)).map((text) => fact(text)))
    }
    for (const name of names) await log.trim(name, { [FACTS]: old }, AT + 2_000)
    for (const [index, name] of names.entries()) {
      expect((await log.head(name)).base).toBeGreaterThanOrEqual(1 + (index % 3))
    }
  })
})
