import { describe, expect, onTestFinished, test } from "vitest"
import { type RedisLogOptions, redisLog } from "../../src/logs/redis/index.ts"
import { program } from "../support/program.ts"
import { startRedis } from "../support/redis.ts"
import { say } from "./redis-steps.ts"

async function server(...args: string[]) {
  const started = await startRedis(args)
  onTestFinished(() => started.destroy())
  return started
}

/** A log whose changes of being reachable can be waited for. */
function opened(url: string, options: RedisLogOptions = {}) {
  const log = redisLog(url, { onError: () => undefined, ...options })
  onTestFinished(() => log.close())
  const told: (string | undefined)[] = []
  let wake = () => {}
  log.watchAvailability?.((failure) => {
    told.push(failure?.message)
    wake()
  })
  const until = async (reachable: boolean) => {
    while ((told.at(-1) === undefined) !== reachable) await new Promise<void>((resolve) => (wake = resolve))
  }
  /** Resolves when it was told for this reason. */
  const hears = async (why: string) => {
    while (!told.some((reason) => reason?.includes(why)))
      await new Promise<void>((resolve) => (wake = resolve))
  }
  const changes = async (count: number) => {
    while (told.length < count) await new Promise<void>((resolve) => (wake = resolve))
  }
  return { log, told, until, hears, changes }
}

const describeWithRedis = describe.skipIf(!program("redis-server"))

describeWithRedis("whether Redis can be reached", () => {
  test("is told when it goes and when it is back", async () => {
    const redis = await server()
    const { log, told, until } = opened(redis.url)
    await say(log, "1")
    expect(told).toEqual([expect.stringContaining("no connection to Redis yet"), undefined])
    await redis.stop("SIGKILL")
    await until(false)
    await redis.start()
    await until(true)
    await say(log, "2")
  })

  test("is noticed without anything being asked for", async () => {
    const redis = await server()
    const { log, until } = opened(redis.url, { heartbeatMs: 50, answerTimeoutMs: 200 })
    await log.head("a")
    process.kill(redis.pid(), "SIGSTOP")
    try {
      await until(false)
    } finally {
      process.kill(redis.pid(), "SIGCONT")
    }
    await until(true)
  })

  test("is told from the beginning when it never could, with why", async () => {
    const redis = await server("--requirepass", "right")
    for (const [url, why] of [
      ["redis://127.0.0.1:1", "ECONNREFUSED"],
      [`redis://:wrong@127.0.0.1:${redis.port}`, "password"],
    ] as const) {
      const { told, hears } = opened(url)
      await hears(why)
      expect(told).not.toContain(undefined)
    }
  })

  test("is told again after an interruption that was too short to be noticed otherwise", async () => {
    const redis = await server()
    const { log, told, until, changes } = opened(redis.url)
    await log.watch("a", () => undefined)
    await until(true)
    const before = told.length
    await redis.client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"])
    await changes(before + 1)
    expect(told.slice(before)).toEqual([undefined])
  })

  test("is told to all who asked, until they stop", async () => {
    const redis = await server()
    const { log, until } = opened(redis.url)
    const told: boolean[] = []
    const listener = (failure: unknown) => void told.push(failure === undefined)
    const stops = [log.watchAvailability?.(listener), log.watchAvailability?.(listener)]
    stops[0]?.()
    await log.head("a")
    await redis.stop("SIGKILL")
    await until(false)
    // both at the beginning; then the one that is left, perhaps more than once: the reason may change
    expect(told.slice(0, 4)).toEqual([false, false, true, false])
    expect(told.slice(4)).not.toContain(true)
  })
})

describeWithRedis("what is appended", () => {
  test("waits within limits: so many, and so many bytes", async () => {
    const { log } = opened("redis://127.0.0.1:1", { waitMs: 2_000, pendingBytesMax: 10 })
    // one alone may be larger, or it could never be appended
    const outcomes = await Promise.allSettled([say(log, "x".repeat(20)), say(log, "y")])
    const messages = outcomes.map((outcome) => outcome.status === "rejected" && outcome.reason.message)
    expect(messages[0]).toContain("ECONNREFUSED")
    expect(messages[1]).toContain("pendingBytesMax")
  })
})
