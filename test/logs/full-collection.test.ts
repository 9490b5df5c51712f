import { afterAll, beforeAll, describe, expect, test } from "vitest"
import type { Log } from "../../src/log/log.ts"
import type { Retention } from "../../src/log/operation.ts"
import { lmdbLog } from "../../src/logs/lmdb/index.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { redisLog } from "../../src/logs/redis/index.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { keepAll, put, temporaryFolder, textsOf } from "./folders.ts"

const AT = Date.UTC(2030, 0, 1)
const keysPerCollectionMax = 2

/** Which of three keys is refused when two have room, and what is there then. */
const cases: Readonly<
  Record<
    string,
    {
      readonly retention: Partial<Retention>
      readonly lastAt: number
      readonly isRefused: boolean
      readonly texts: readonly string[]
    }
  >
> = {
  "that have all to be kept": {
    retention: {},
    lastAt: AT + 2_000,
    isRefused: true,
    texts: ["one", "two"],
  },
  "that are young enough": {
    retention: { forMs: 1_000 },
    lastAt: AT + 900,
    isRefused: true,
    texts: ["one", "two"],
  },
  "of which the first is too old": {
    retention: { forMs: 1_000 },
    lastAt: AT + 1_200,
    isRefused: false,
    texts: ["two", "three"],
  },
  "that are as many as it retains": {
    retention: { entries: 2 },
    lastAt: AT,
    isRefused: false,
    texts: ["two", "three"],
  },
  "that have as many bytes as it retains": {
    retention: { bytes: 8 },
    lastAt: AT,
    isRefused: false,
    texts: ["two", "three"],
  },
  "that are fewer than it retains": {
    retention: { entries: 3 },
    lastAt: AT,
    isRefused: true,
    texts: ["one", "two"],
  },
}

function tests(make: () => Log): void {
  test.each(Object.entries(cases))("%s", async (_, { retention, lastAt, isRefused, texts }) => {
    const log = make()
    const append = (text: string, at: number) =>
      log.append("a", { ...put(text, text), at }, { retention: { ...keepAll, ...retention } })
    await append("one", AT)
    await append("two", AT + 500)
    const third = append("three", lastAt)
    if (isRefused) await expect(third).rejects.toMatchObject({ code: "log_full", limit: 2 })
    else expect(await third).toMatchObject({ status: "appended" })
    expect(await textsOf(log, "a")).toEqual(texts)
    await log.close()
  })
}

describe("the memory log whose collection is full of keys", () => {
  tests(() => memoryLog({ keysPerCollectionMax }))
})

describe("the LMDB log whose collection is full of keys", () => {
  tests(() => lmdbLog(temporaryFolder(), { keysPerCollectionMax }))
})

describe.skipIf(!program("redis-server"))("the Redis log whose collection is full of keys", () => {
  let server: RedisServer
  let count = 0
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.destroy())
  tests(() => redisLog(server.url, { keysPerCollectionMax, prefix: `full-${++count}` }))
})
