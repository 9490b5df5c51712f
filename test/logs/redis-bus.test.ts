import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import type { Bus } from "../../src/log/bus.ts"
import { redisLog } from "../../src/logs/redis/index.ts"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis, startRedisCluster } from "../support/redis.ts"

const bytes = (text: string) => Buffer.from(text)

type Target = Parameters<typeof redisLog>[0]

function openBus(target: Target, prefix: string): Bus {
  const log = redisLog(target, { prefix, onError: () => undefined })
  onTestFinished(() => log.close())
  return log.bus as Bus
}

/** Hears a topic, and tells when something has come. */
async function hear(bus: Bus, topic: string) {
  const heard: string[] = []
  let look = () => {}
  const stop = await bus.subscribe(topic, (body) => {
    heard.push(Buffer.from(body).toString())
    look()
  })
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      look = () => {
        if (condition()) resolve()
      }
      look()
    })
  return { heard, stop, until }
}

/** Publishes until it is heard: as after an interruption, when nothing says that it is over. */
async function insist(server: RedisServer, bus: Bus, topic: string, heard: readonly string[]) {
  const before = heard.length
  while (heard.length === before) {
    bus.publish(topic, bytes("again"))
    await server.client.ping()
  }
}

describe.skipIf(!program("redis-server"))("the bus of the Redis log", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  let count = 0
  const pair = () => {
    const prefix = `bus-${++count}`
    return [openBus(redis.url, prefix), openBus(redis.url, prefix)] as const
  }

  test("brings what is published to all who subscribe, in order, and to nobody else", async () => {
    const [one, other] = pair()
    const [here, there, elsewhere] = [await hear(one, "a"), await hear(other, "a"), await hear(other, "b")]
    const texts = Array.from({ length: 500 }, (_, index) => `${index}`)
    for (const text of texts) one.publish("a", bytes(text))
    await there.until(() => there.heard.length === texts.length)
    await here.until(() => here.heard.length === texts.length)
    expect([here.heard, there.heard, elsewhere.heard]).toEqual([texts, texts, []])
  })

  test("keeps two prefixes apart, and a topic from a channel of the same name", async () => {
    const [one] = pair()
    const [other] = pair()
    const [heard, foreign] = [await hear(one, "room/a"), await hear(other, "room/a")]
    one.publish("room/a", bytes("mine"))
    await heard.until(() => heard.heard.length === 1)
    expect(foreign.heard).toEqual([])
  })

  test("keeps two databases of a server apart", async () => {
    const prefix = `bus-${++count}`
    const [one, other] = [openBus(redis.url, prefix), openBus(`${redis.url}/1`, prefix)]
    const [here, there] = [await hear(one, "room/a"), await hear(other, "room/a")]
    one.publish("room/a", bytes("here"))
    other.publish("room/a", bytes("there"))
    await here.until(() => here.heard.length > 0)
    await there.until(() => there.heard.length > 0)
    await insist(redis, one, "room/a", here.heard)
    expect(here.heard).not.toContain("there")
    expect(there.heard).toEqual(["there"])
  })

  test("asks Redis for nothing that nobody subscribes to any more", async () => {
    const [one] = pair()
    const subscribed = async () => {
      const answer = (await redis.client.sendCommand([
        "PUBSUB",
        "SHARDCHANNELS",
        `bus-${count}:*`,
      ])) as string[]
      return answer.length
    }
    const [first, second] = [await hear(one, "a"), await hear(one, "a")]
    expect(await subscribed()).toBe(1)
    first.stop()
    one.publish("a", bytes("still"))
    await second.until(() => second.heard.length === 1)
    second.stop()
    while ((await subscribed()) > 0);
    expect(first.heard).toEqual([])
  })

  test("goes on after its connections were cut, and drops what cannot be sent", async () => {
    const [one, other] = pair()
    const { heard } = await hear(other, "a")
    await insist(redis, one, "a", heard)
    for (const type of ["pubsub", "normal"]) {
      await redis.client.sendCommand(["CLIENT", "KILL", "TYPE", type, "SKIPME", "yes"])
      await insist(redis, one, "a", heard)
    }
    await redis.stop("SIGKILL")
    for (let n = 0; n < 5_000; n++) one.publish("a", bytes("lost"))
    await redis.start()
    await insist(redis, one, "a", heard)
    expect(heard).not.toContain("lost")
  })
})

describe.skipIf(!program("redis-server"))("the bus on a cluster", () => {
  test("reaches topics of every shard", async () => {
    const cluster = await startRedisCluster()
    onTestFinished(() => cluster.destroy())
    const [one, other] = [openBus(cluster.client(), "bus"), openBus(cluster.client(), "bus")]
    for (let n = 0; n < 20; n++) {
      const topic = await hear(other, `topic-${n}`)
      one.publish(`topic-${n}`, bytes("hello"))
      await topic.until(() => topic.heard.length === 1)
      expect(topic.heard).toEqual(["hello"])
    }
  })
})
