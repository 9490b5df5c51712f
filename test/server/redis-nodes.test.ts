import { connect } from "holdfast/client"
import { redisLog } from "holdfast/redis"
import type { Hub } from "holdfast/server"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { deferred } from "./support/deferred.ts"
import { type app, createTestHub } from "./support/hubs.ts"

const MESSAGES = 150
const texts = Array.from({ length: MESSAGES }, (_, index) => `message ${index}`)

let count = 0

describe.skipIf(!program("redis-server"))("two nodes on one Redis", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  /** Two nodes, and a balancer in front of them that leads to the one that it is told. */
  async function startNodes(redisUrl = redis.url) {
    const prefix = `test-${++count}`
    const hubs: Hub<typeof app, undefined>[] = []
    const ports: number[] = []
    for (let node = 0; node < 2; node++) {
      const hub = createTestHub({ log: redisLog(redisUrl, { prefix, onError: () => undefined }) })
      hubs.push(hub)
      ports.push((await hub.listen({ port: 0 })).port)
    }
    const balancer = await startTcpProxy(ports[0] as number)
    onTestFinished(() => balancer.close())
    /** Takes all clients from one node to the other. */
    const move = (to: number) => {
      balancer.target = ports[to % 2] as number
      balancer.cut()
    }
    return { hubs, move, url: `ws://127.0.0.1:${balancer.port}`, direct: `ws://127.0.0.1:${ports[1]}` }
  }

  function join(url: string) {
    const client = connect<typeof app>(url, { WebSocket, backoff: { minMs: 5, maxMs: 20 } })
    client.on("error", () => undefined)
    onTestFinished(() => client.close())
    const room = client.channel("room/:room", { room: "a" })
    const heard: string[] = []
    const all = deferred()
    room.on("said", ({ text }) => {
      if (heard.push(text) === MESSAGES) all.resolve()
    })
    return { room, heard, all: all.promise }
  }

  test("a client that moves between them with its position misses nothing and hears nothing twice", async () => {
    const { hubs, move, url } = await startNodes()
    const { room, heard, all } = join(url)
    await room.ready()
    for (const [index, text] of texts.entries()) {
      await hubs[index % 2]?.channel("room/:room", { room: "a" }).publish("said", { text })
      if (index % 10 === 0) move(index / 10)
    }
    await all
    expect(heard).toEqual(texts)
    expect(room.stats.gaps).toBe(0)
  })

  test("a client that publishes while it moves is heard once, in order, by those who stay", async () => {
    const { move, url, direct } = await startNodes()
    const moving = join(url)
    const staying = join(direct)
    await Promise.all([moving.room.ready(), staying.room.ready()])
    const published = texts.map((text, index) => {
      if (index % 25 === 0) setImmediate(() => move(index / 25 + 1))
      return moving.room.publish("said", { text })
    })
    await Promise.all(published)
    await Promise.all([moving.all, staying.all])
    expect(moving.heard).toEqual(texts)
    expect(staying.heard).toEqual(texts)
  })

  test("clients miss nothing while the nodes' connections to Redis are cut", async () => {
    const cable = await startTcpProxy(redis.port)
    onTestFinished(() => cable.close())
    const { hubs, url } = await startNodes(`redis://127.0.0.1:${cable.port}`)
    const { room, heard, all } = join(url)
    await room.ready()
    for (const [index, text] of texts.entries()) {
      await hubs[index % 2]?.channel("room/:room", { room: "a" }).publish("said", { text })
      if (index % 25 === 5) cable.cut()
      if (index % 25 === 15) await redis.client.sendCommand(["CLIENT", "KILL", "TYPE", "pubsub"])
    }
    await all
    expect(heard).toEqual(texts)
    expect(room.stats.gaps).toBe(0)
  })

  test("state that one node sets is what the other shows", async () => {
    const { hubs, move, url } = await startNodes()
    const { room } = join(url)
    await room.ready()
    const changed = deferred()
    room.state("topic").onChange(() => {
      if (room.state("topic").get("k") === "last") changed.resolve()
    })
    move(1)
    for (const value of ["first", "second", "last"]) {
      await hubs[0]?.channel("room/:room", { room: "a" }).set("topic", "k", value)
    }
    await changed.promise
    expect(await hubs[1]?.channel("room/:room", { room: "a" }).state("topic")).toEqual(
      new Map([["k", "last"]]),
    )
  })
})
