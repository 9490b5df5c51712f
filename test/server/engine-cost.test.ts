import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { listen, startEngineNodes } from "./support/engine.ts"
import { WireClient } from "./support/wire-client.ts"

/** What nodes may say to Redis without anybody doing anything: that they are there. Once per connection and heartbeat, */
const HEARTBEAT = new Set(["ping"])
/** and once per node, in this channel. */
const NODES = "$nodes"

/** On a machine that is slow for a moment, nothing is given up and asked for again. */
const PATIENT = { heartbeatMs: 3_600_000, answerTimeoutMs: 60_000, waitMs: 50_000 }

describe.skipIf(!program("redis-server"))("what nodes cost their Redis", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  /** The commands that Redis was sent while `work` was done, those of scripts not counted, for they are no round trips. */
  async function commandsOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
    const monitor = redis.client.duplicate()
    await monitor.connect()
    onTestFinished(() => monitor.destroy())
    const seen: Record<string, number> = {}
    const end = `end-${Math.random()}`
    let finish = () => {}
    const finished = new Promise<void>((resolve) => (finish = resolve))
    await monitor.monitor((line) => {
      // 1732147200.123456 [0 127.0.0.1:40000] "EVALSHA" "…"
      const [, from, command = ""] = /^\S+ \[\d+ (\S+?)\] "(\w+)"/.exec(String(line)) ?? []
      if (String(line).includes(end)) finish()
      else if (from !== "lua" && command !== "" && !String(line).includes(NODES)) {
        const name = command.toLowerCase()
        if (!HEARTBEAT.has(name)) seen[name] = (seen[name] ?? 0) + 1
      }
    })
    await work()
    await redis.client.echo(end)
    await finished
    return seen
  }

  test("a publish is one round trip, whoever listens on whatever node", async () => {
    const [one, two] = await startEngineNodes([redis.url, redis.url], PATIENT)
    const clients = [listen(one!.url), listen(two!.url), listen(two!.url)]
    for (const { room } of clients) await room.ready()
    await one!.room.publish("said", { text: "the script is known from here on" })
    for (const client of clients) await client.hears("the script is known from here on")
    const seen = await commandsOf(async () => {
      for (let index = 0; index < 20; index++) await one!.room.publish("said", { text: `${index}` })
      await clients[0]!.room.publish("said", { text: "a client's" })
      for (const client of clients) await client.hears("a client's")
    })
    expect(seen).toEqual({ evalsha: 21 })
  })

  test("channels that are subscribed to and idle cost nothing", async () => {
    const [node] = await startEngineNodes([redis.url], { ...PATIENT, heartbeatMs: 20 })
    const client = await WireClient.greet(node!.url)
    for (let index = 0; index < 100; index++) await client.subscribe(`room/${index}`)
    // as long as it takes to be told of ten heartbeats
    const seen = await commandsOf(async () => {
      const calls = async () =>
        Number(/cmdstat_ping:calls=(\d+)/.exec(await redis.client.info("commandstats"))?.[1] ?? 0)
      const before = await calls()
      while ((await calls()) < before + 10);
    })
    expect(Object.keys(seen)).toEqual(["info"])
  })
})
