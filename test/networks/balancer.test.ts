import { redisLog } from "holdfast/redis"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { type Changes, documented } from "./configurations.ts"
import { countThrough, expectAll, startNode } from "./counter.ts"
import { readWithSdk } from "./reader.ts"
import { READERS } from "./readers.ts"

/** So that a node that leaves is seen within a test. */
const QUICK_CHECKS = ["8080 check", "8080 check inter 200ms fall 2"] as const

/** As many as a client holds that were not acknowledged. */
const PUBLISHED = 1_000

let prefixes = 0

describe.skipIf(!program("redis-server"))("two nodes on one Redis, each request at whichever is next", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  async function startNodes() {
    const prefix = `networks-${++prefixes}`
    const log = () => redisLog(redis.url, { prefix, onError: () => undefined })
    // haproxy does not say that the client of a stream has gone, and a drain waits for it that long
    const limits = { handoverMs: 8_000 }
    return [await startNode({ log: log(), limits }), await startNode({ log: log(), limits })] as const
  }

  async function startBehind(name: "nginx" | "haproxy", changes: Changes = []) {
    const nodes = await startNodes()
    const ports = nodes.map(({ port }) => port)
    const box = await startMiddlebox(name, documented(name, ports, changes))
    onTestFinished(() => box.stop())
    return { nodes, box }
  }

  describe.each(["nginx", "haproxy"] as const)("behind %s as documented", (name) => {
    describe.skipIf(!program(name))("10,000 messages come through, with cuts and a new configuration", () => {
      test.each(Object.entries(READERS))("over %s", async (_, read) => {
        const { nodes, box } = await startBehind(name)
        const line = await startTcpProxy(box.port)
        onTestFinished(() => line.close())
        const reader = await read(line.port)
        await countThrough(nodes, [reader], (time) => {
          if (time === 5) box.reload()
          line.cut()
        })
        expectAll(reader)
        for (const node of nodes) expect(node.subscriptions()).toBeGreaterThan(2)
      })
    })

    describe.skipIf(!program(name))("1,000 messages of a client are there once, in order, with cuts", () => {
      test.each(["websocket", "sse", "poll"] as const)("by %s", async (transport) => {
        const { box } = await startBehind(name)
        const line = await startTcpProxy(box.port)
        onTestFinished(() => line.close())
        const reader = await readWithSdk(line.port, { transports: [transport] })
        const numbers = Array.from({ length: PUBLISHED }, (_, index) => index + 1)
        await Promise.all(
          numbers.map(async (number) => {
            await reader.channel.publish("counted", number)
            if (number % 100 === 0) line.cut()
          }),
        )
        // its own subscription shows what is in the log
        await reader.until(() => reader.heard.at(-1) === PUBLISHED)
        expect(reader.heard).toEqual(numbers)
      })
    })

    test.skipIf(!program(name))("10,000 messages come while a node is drained, without a cut", async () => {
      const { nodes, box } = await startBehind(name, name === "haproxy" ? [QUICK_CHECKS] : [])
      const [leaving, staying] = nodes
      const transports = ["websocket", "sse", "websocket", "sse"] as const
      const readers = await Promise.all(
        transports.map((transport) => readWithSdk(box.port, { transports: [transport] })),
      )
      expect(leaving.subscriptions()).toBeGreaterThan(0)
      let drained: Promise<void> | undefined
      await countThrough([staying], readers, (time) => {
        if (time === 3) drained = leaving.hub.drain({ noticeMs: 3_000, spreadMs: 500, deadlineMs: 300_000 })
        return time === 7 ? drained : undefined
      })
      expect(staying.subscriptions()).toBeGreaterThanOrEqual(readers.length)
      for (const reader of readers) {
        expectAll(reader)
        expect(reader.cuts()).toBe(0)
      }
    })
  })
})
