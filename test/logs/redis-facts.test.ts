import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { append, entriesIn, everything, fact, opened, retention } from "./redis-steps.ts"

const all = { ...retention, entries: Infinity }

describe.skipIf(!program("redis-server"))("many facts", () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.destroy())

  const texts = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => `${from + index}`)
  const fill = (log: Log, channel: string, from: number, to: number, kept = all) =>
    Promise.all(texts(from, to).map((text) => append(log, fact(text), { retention: kept }, channel)))
  const listsOf = (channel: string) => server.client.keys(`holdfast:{*}:e*:${channel}`)

  test("lie in several lists, and are read across them", async () => {
    const log = opened(server.url)
    const offsets = (await fill(log, "a", 0, 5_000)).map(({ position }) => position.offset)
    expect(await listsOf("a")).toHaveLength(3)
    expect((await entriesIn(log, "a")).map(({ offset }) => offset)).toEqual(offsets)
    for (const index of [0, 1, 2_046, 2_047, 2_048, 4_095, 4_096, 4_998]) {
      const range = { ...everything, after: offsets[index] as number, entriesMax: 3 }
      const { entries } = await log.read("a", range)
      expect(entries.map(({ offset }) => offset)).toEqual(offsets.slice(index + 1, index + 4))
      const back = { collection: "said", before: offsets[index] as number, entriesMax: 3, bytesMax: 1e6 }
      const page = await log.readBack("a", back)
      expect(page.entries.map(({ offset }) => offset)).toEqual(
        offsets.slice(Math.max(0, index - 3), index).reverse(),
      )
      const count = 5_000 - index
      expect(await log.offsetOfLast("a", "said", count)).toBe(index === 0 ? 0 : offsets[index - 1])
    }
  })

  test("that are trimmed leave no list behind", async () => {
    const log = opened(server.url)
    await fill(log, "b", 0, 5_000)
    const kept = { ...retention, entries: 100 }
    const offsets = (await fill(log, "b", 5_000, 9_000, kept)).map(({ position }) => position.offset)
    expect((await entriesIn(log, "b")).map(({ offset }) => offset)).toEqual(offsets.slice(-100))
    expect((await listsOf("b")).length).toBeLessThanOrEqual(2)
    await log.trim("b", { said: { ...retention, entries: 0 } }, Date.now())
    expect(await listsOf("b")).toEqual([])
    expect((await log.head("b")).top).toBe(offsets.at(-1))
  })

  test("are found in as few steps, however many there are", async () => {
    const log = opened(server.url)
    const offsets = (await fill(log, "c", 0, 20_000)).map(({ position }) => position.offset)
    const steps = async (use: () => Promise<unknown>) => {
      await server.client.sendCommand(["CONFIG", "RESETSTAT"])
      await use()
      const stats = String(await server.client.sendCommand(["INFO", "commandstats"]))
      return Number(/cmdstat_lindex:calls=(\d+)/.exec(stats)?.[1] ?? 0)
    }
    const page = (before: number) => ({ collection: "said", before, entriesMax: 50, bytesMax: 1e6 })
    const [recent, ancient] = [offsets.at(-100) as number, offsets[100] as number]
    expect(await steps(() => log.readBack("c", page(recent)))).toBeLessThan(32)
    expect(await steps(() => log.readBack("c", page(ancient)))).toBeLessThan(32)
    expect(await steps(() => log.read("c", { ...everything, after: ancient, entriesMax: 50 }))).toBeLessThan(
      32,
    )
    expect(await steps(() => log.offsetOfLast("c", "said", 19_000))).toBe(1)
  })
})
