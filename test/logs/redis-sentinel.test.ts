import { createSentinel } from "redis"
import { describe, expect, onTestFinished, test } from "vitest"
import type { Batch } from "../../src/log/log.ts"
import { redisLog } from "../../src/logs/redis/index.ts"
import { program } from "../support/program.ts"
import { startRedis, startRedisSentinel } from "../support/redis.ts"
import { say } from "./redis-steps.ts"

describe.skipIf(!program("redis-server"))("the Redis log with Sentinel", () => {
  test("goes on at the server that was promoted, in a new epoch", async () => {
    const master = await startRedis()
    onTestFinished(() => master.destroy())
    const replica = await startRedis(["--replicaof", `127.0.0.1 ${master.port}`])
    onTestFinished(() => replica.destroy())
    await master.replicated()
    const sentinel = await startRedisSentinel(master.port)
    onTestFinished(() => sentinel.destroy())

    const client = createSentinel({
      name: "main",
      sentinelRootNodes: [{ host: "127.0.0.1", port: sentinel.port }],
    })
    const log = redisLog(client, { waitMs: 50_000, onError: () => undefined })
    onTestFinished(() => log.close())
    const told: Batch[] = []
    let look = () => {}
    const until = (condition: (batch: Batch) => boolean) =>
      new Promise<void>((resolve) => {
        look = () => {
          if (told.some(condition)) resolve()
        }
        look()
      })
    await log.watch("a", (batch) => {
      told.push(batch)
      look()
    })
    const before = await say(log, "1")
    await until(({ entries }) => entries.length > 0)
    await master.replicated()

    await master.stop("SIGKILL")
    await sentinel.failOver()
    const after = await say(log, "2")
    expect(after.position.epoch).not.toBe(before.position.epoch)
    await until(
      ({ epoch, after: following, entries }) =>
        epoch === after.position.epoch && (entries.length > 0 || following >= after.position.offset),
    )
    const again = await say(log, "3")
    await until(({ entries }) => entries.some(({ offset }) => offset === again.position.offset))
  })
})
