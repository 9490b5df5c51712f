import { afterAll, beforeAll, describe, test } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { type RedisClient, type RedisLogOptions, redisLog } from "../../src/logs/redis/index.ts"
import { type LogUnderTest, logContract } from "../../src/testing/log-contract.ts"
import { program } from "../support/program.ts"
import { type RedisCluster, type RedisServer, startRedis, startRedisCluster } from "../support/redis.ts"

let count = 0

/** Each log has keys of its own, so one server does for all. */
function redisUnderTest(
  target: () => string | RedisClient,
  options: RedisLogOptions = {},
): () => Promise<LogUnderTest> {
  return async () => {
    const prefix = `check-${++count}`
    const opened: Log[] = []
    const open = () => {
      const log = redisLog(target(), { prefix, onError: () => undefined, ...options })
      opened.push(log)
      return log
    }
    return {
      log: open(),
      reopen: async () => {
        await opened.at(-1)?.close()
        return open()
      },
      destroy: async () => {
        for (const log of opened) await log.close()
      },
    }
  }
}

describe.skipIf(!program("redis-server"))("on a single server", () => {
  let server: RedisServer
  beforeAll(async () => {
    server = await startRedis()
  })
  afterAll(() => server.destroy())

  describe("the Redis log keeps the contract of logs:", () => {
    for (const { name, run } of logContract(redisUnderTest(() => server.url))) test(name, run)
  })

  describe("the Redis log with few tombstones keeps the contract of logs:", () => {
    const make = redisUnderTest(() => server.url, { tombstonesPerCollectionMax: 2 })
    for (const { name, run } of logContract(make)) test(name, run)
  })
})

describe.skipIf(!program("redis-server"))("on a cluster of three shards", () => {
  let cluster: RedisCluster
  beforeAll(async () => {
    cluster = await startRedisCluster()
  })
  afterAll(() => cluster.destroy())

  describe("the Redis log keeps the contract of logs:", () => {
    for (const { name, run } of logContract(redisUnderTest(() => cluster.client()))) test(name, run)
  })
})
