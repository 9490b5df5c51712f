import { redisLog } from "holdfast/redis"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { listeningAt, spawnTsx } from "../support/tsx-process.ts"
import { createTestHub } from "./support/hubs.ts"
import { newSession, openEvents, post } from "./support/plain-http.ts"
import { stamp } from "./support/stamp.ts"
import { WireClient } from "./support/wire-client.ts"

const CHANNEL = "room/lobby"
const ada = () => ({ channel: CHANNEL, data: { name: "Ada" }, version: stamp() })

let count = 0

describe.skipIf(!program("redis-server"))("presence on nodes that share one Redis", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  const newPrefix = () => `presence-${++count}`

  /** A node in a process of its own. */
  async function startProcess(prefix: string) {
    const child = spawnTsx("test/server/support/node-process.ts", [redis.url, prefix])
    onTestFinished(() => void child.kill("SIGKILL"))
    return { child, url: await listeningAt(child) }
  }

  async function startHub(prefix: string, options: Parameters<typeof createTestHub>[0] = {}) {
    const hub = createTestHub({ log: redisLog(redis.url, { prefix, onError: () => undefined }), ...options })
    return { hub, ...(await hub.listen({ port: 0 })) }
  }

  /** Somebody who sees from now on who comes and goes. */
  async function watch(url: string) {
    const watcher = await WireClient.greet(url, { subscriptions: [{ channel: CHANNEL }] })
    await watcher.next("subscribed")
    return watcher
  }

  test("the members of a node that is killed are gone from it", async () => {
    const prefix = newPrefix()
    const [doomed, { url }] = await Promise.all([startProcess(prefix), startHub(prefix)])
    const watcher = await watch(url)
    await WireClient.greet(doomed.url, { presence: [ada()] })
    await watcher.next("join")
    doomed.child.kill("SIGKILL")
    await watcher.next("left")
  })

  test("the members of a node that was stopped are back when it goes on", async () => {
    const prefix = newPrefix()
    const [stopped, { url, hub }] = await Promise.all([startProcess(prefix), startHub(prefix)])
    const watcher = await watch(url)
    const client = await WireClient.greet(stopped.url)
    client.send({ type: "enter", id: 1, ...ada() })
    await client.next("result")
    await watcher.next("join")
    stopped.child.kill("SIGSTOP")
    await watcher.next("left")
    stopped.child.kill("SIGCONT")
    await watcher.next("join")
    expect(await hub.channel("room/:room", { room: "lobby" }).members()).toHaveProperty("size", 1)
  })

  test("a client that moves to another node is shown once, and never away", async () => {
    const prefix = newPrefix()
    const nodes = await Promise.all([startHub(prefix), startHub(prefix), startHub(prefix)])
    const watcher = await watch(nodes[2].url)
    const session = newSession()
    for (let n = 0; n < 6; n++) {
      const line = await WireClient.greet(nodes[n % 2]?.url as string, { session, presence: [ada()] })
      // what came with hello is not answered, and taken by then
      line.send({ type: "enter", id: 1, ...ada() })
      await line.next("result")
      expect(await nodes[2].hub.channel("room/:room", { room: "lobby" }).members()).toHaveProperty("size", 1)
      if (n < 5) line.webSocket.terminate()
    }
    expect((await watcher.next("join")).data).toEqual({ name: "Ada" })
    // whatever is seen of Ada is seen before this: her connections were cut before
    const bob = { ...ada(), data: { name: "Bob" } }
    const other = await WireClient.greet(nodes[0].url, { presence: [bob] })
    const { member, data } = await watcher.next("join")
    expect(data).toEqual({ name: "Bob" })
    other.webSocket.terminate()
    expect((await watcher.next("left")).member).toBe(member)
    expect(await nodes[2].hub.channel("room/:room", { room: "lobby" }).members()).toHaveProperty("size", 1)
  })

  test("a client that polls here and there is shown once, and gone a lease after its last poll", async () => {
    const prefix = newPrefix()
    // long enough for a busy machine to send the next poll
    const limits = { presenceLeaseMs: 4_000 }
    const nodes = await Promise.all([startHub(prefix, { limits }), startHub(prefix, { limits })])
    const watching = await openEvents(`${nodes[1].url.replace("ws", "http")}/events?channel=${CHANNEL}`)
    await watching.next("subscribed")
    const session = newSession()
    for (let n = 0; n < 6; n++) {
      const base = nodes[n % 2]?.url.replace("ws", "http")
      await post(`${base}/poll`, { session, subscriptions: [], presence: [ada()], waitMs: 300 })
      expect(await nodes[0].hub.channel("room/:room", { room: "lobby" }).members()).toHaveProperty("size", 1)
    }
    expect(await watching.next("left")).toBeDefined()
    expect(await nodes[0].hub.channel("room/:room", { room: "lobby" }).members()).toEqual(new Map())
  })

  test("survives a Redis that is killed and comes back with nothing", async () => {
    const prefix = newPrefix()
    const { url, hub } = await startHub(prefix)
    const watcher = await watch(url)
    await WireClient.greet(url, { presence: [ada()] })
    await watcher.next("join")
    await redis.stop("SIGKILL")
    await redis.start()
    await watcher.next("gap")
    const members = () => hub.channel("room/:room", { room: "lobby" }).members()
    while ((await members()).size === 0) await redis.client.ping()
    expect(await hub.channel("room/:room", { room: "lobby" }).members()).toHaveProperty("size", 1)
  })
})

describe.skipIf(!program("redis-server"))("what reaches all nodes on one Redis", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  async function startThree() {
    const prefix = `reach-${++count}`
    const start = async () => {
      const hub = createTestHub({
        log: redisLog(redis.url, { prefix, onError: () => undefined }),
        authenticate: (({ token }: { token?: string }) => ({ id: token })) as never,
      })
      return { hub, ...(await hub.listen({ port: 0 })) }
    }
    const nodes = [await start(), await start(), await start()] as const
    for (const { hub } of nodes) {
      while ((await hub.cluster.nodes()).results.length < 3) await redis.client.ping()
    }
    return nodes
  }

  test("signals", async () => {
    const nodes = await startThree()
    const greet = (url: string) => WireClient.greet(url, { subscriptions: [{ channel: CHANNEL }] })
    const clients = await Promise.all(nodes.map(({ url }) => greet(url)))
    for (const client of clients) await client.next("subscribed")
    const signal = { type: "signal", channel: CHANNEL, name: "typing", data: {} } as const
    // whether the other nodes listen yet is not told, so it is repeated until all have heard
    const heard = Promise.all(clients.map((client) => client.next("signal")))
    let isHeard = false
    void heard.then(() => {
      isHeard = true
    })
    while (!isHeard) {
      clients[0]?.send(signal)
      await redis.client.ping()
    }
    for (const message of await heard) expect(message).toMatchObject({ name: "typing", data: {} })
  })

  test("the end of a user's connections and subscriptions", async () => {
    const nodes = await startThree()
    const subscriptions = [{ channel: CHANNEL }]
    const ada = await WireClient.greet(nodes[2].url, { token: "ada", subscriptions })
    await ada.next("subscribed")
    const { results, missing } = await nodes[0].hub.channel("room/:room", { room: "lobby" }).revoke("ada")
    expect([results.length, missing]).toEqual([1, []])
    expect(await ada.next("unsubscribed")).toMatchObject({ channel: CHANNEL, code: "revoked" })
    await nodes[1].hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    expect(await ada.closed).toEqual({ code: 4403, reason: "banned" })
    expect((await nodes[0].hub.cluster.connections({ user: "ada" })).results).toEqual([])
  })
})
