import { redisLog } from "holdfast/redis"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { startMiddlebox } from "../support/middlebox.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { documented } from "./configurations.ts"
import { countThrough, expectAll, startNode } from "./counter.ts"
import { READERS } from "./readers.ts"

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
    return [await startNode({ log: log() }), await startNode({ log: log() })] as const
  }

  describe.each(["nginx", "haproxy"] as const)("behind %s as documented", (name) => {
    describe.skipIf(!program(name))("10,000 messages come through, with cuts and a new configuration", () => {
      test.each(Object.entries(READERS))("over %s", async (_, read) => {
        const nodes = await startNodes()
        const box = await startMiddlebox(
          name,
          documented(
            name,
            nodes.map(({ port }) => port),
          ),
        )
        onTestFinished(() => box.stop())
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
  })
})
