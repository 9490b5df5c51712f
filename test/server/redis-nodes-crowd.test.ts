import { channel, contract } from "holdfast"
import { redisLog } from "holdfast/redis"
import { createHubCore, type Link, testProcess } from "holdfast/testing"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { z } from "zod"
import { realClock } from "../../src/server/node/clock.ts"
import { nodeEntropy } from "../../src/server/node/entropy.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { deferred } from "./support/deferred.ts"
import { stamp } from "./support/stamp.ts"

const MEMBERS = 10_000

const app = contract({ "room/:room": channel({ presence: z.object({ name: z.string() }) }) })
const channels = {
  "room/:room": { subscribe: true, presence: ({ data }: { data: { name: string } }) => data },
} as const

/** A node whose clients have no sockets. */
function startNode(url: string, prefix: string) {
  const process = testProcess({ clock: realClock, log: redisLog(url, { prefix, onError: () => undefined }) })
  const hub = createHubCore(
    app,
    { channels },
    { clock: process.clock, log: process.log, entropy: nodeEntropy },
  )
  let isKilled = false
  // nothing that a dead process asks for is answered
  onTestFinished(() => (isKilled ? undefined : hub.close()))
  const greet = (session: string, hello: object, handle: (message: { type: string }) => void) => {
    const link: Link = {
      encoding: {
        name: "objects",
        codec: "json",
        frame: (message) => {
          handle(message as { type: string })
          return new Uint8Array(0)
        },
        join: () => new Uint8Array(0),
      },
      write: () => true,
      cork: () => {},
      uncork: () => {},
      pause: () => {},
      resume: () => {},
      close: () => {},
      destroy: () => {},
    }
    const connection = hub.connect(link, {})
    connection.handleMessage(
      { type: "hello", session: session.padEnd(24, "-"), subscriptions: [], ...hello },
      100,
    )
    return connection
  }
  const kill = () => {
    isKilled = true
    process.kill()
  }
  return { hub, greet, kill }
}

describe.skipIf(!program("redis-server"))("ten thousand members of one channel", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  test("come, are listed, and are gone when their node is killed", async () => {
    const [doomed, other] = [startNode(redis.url, "crowd"), startNode(redis.url, "crowd")]
    const counts = { join: 0, left: 0 }
    const [allCame, allLeft] = [deferred(), deferred()]
    const subscribed = deferred()
    other.greet("watcher", { subscriptions: [{ channel: "room/a" }] }, ({ type }) => {
      if (type === "subscribed") subscribed.resolve()
      if (type === "join" && ++counts.join === MEMBERS) allCame.resolve()
      if (type === "left" && ++counts.left === MEMBERS) allLeft.resolve()
    })
    await subscribed.promise
    for (let n = 0; n < MEMBERS; n++) {
      const presence = [{ channel: "room/a", data: { name: `member ${n}` }, version: stamp() }]
      doomed.greet(`session-${n}`, { presence }, () => undefined)
    }
    await allCame.promise
    expect(await other.hub.channel("room/:room", { room: "a" }).members()).toHaveProperty("size", MEMBERS)
    doomed.kill()
    await allLeft.promise
    expect(await other.hub.channel("room/:room", { room: "a" }).members()).toEqual(new Map())
  })
})
