import { connect } from "holdfast/client"
import { redisLog } from "holdfast/redis"
import { createHub } from "holdfast/server"
import { describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { startBalancer } from "../../scripts/balancer.mjs"
import { program } from "../support/program.ts"
import { startRedis } from "../support/redis.ts"
import { ClusterNode } from "./support/cluster-nodes.ts"
import { app } from "./support/rolling-app.ts"

const NODES = 3
const CLIENTS = 30
const PUBLISHING_CLIENTS = 6
const EVERY_MS = 50
const TRANSPORTS = ["websocket", "websocket", "websocket", "sse", "poll"] as const

const lobby = { room: "lobby" }

/** A client that notes what it hears, and what becomes of its connection. */
function subscriber(url: string, index: number) {
  const name = `client ${index}`
  const transport = TRANSPORTS[index % TRANSPORTS.length] ?? "websocket"
  const client = connect<typeof app>(url, { WebSocket, transports: [transport] })
  client.on("error", () => undefined)
  onTestFinished(() => client.close())
  const room = client.channel("room/:room", lobby)
  const heard: string[] = []
  const statuses: string[] = []
  client.on("status", (status) => statuses.push(status))
  let gaps = 0
  let wake = () => {}
  room.on("said", ({ by, number }) => {
    heard.push(`${by} ${number}`)
    wake()
  })
  room.onGap(() => gaps++)
  return {
    name,
    transport,
    room,
    heard,
    statuses,
    gaps: () => gaps,
    hears: async (count: number) => {
      while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
    },
  }
}

/** Publishes numbered events, one every so often, until it is stopped. Resolves with those that were acknowledged. */
function publishing(by: string, publish: (data: { by: string; number: number }) => Promise<unknown>) {
  const acknowledged: string[] = []
  const pending: Promise<void>[] = []
  const timer = setInterval(() => {
    const number = pending.length
    pending.push(publish({ by, number }).then(() => void acknowledged.push(`${by} ${number}`)))
  }, EVERY_MS)
  onTestFinished(() => clearInterval(timer))
  return async () => {
    clearInterval(timer)
    await Promise.all(pending)
    return acknowledged
  }
}

describe.skipIf(!program("redis-server"))("a rolling restart of three nodes under load", () => {
  test("loses nothing, doubles nothing, and leaves no WebSocket client without a connection", async () => {
    const redis = await startRedis()
    onTestFinished(() => redis.destroy())
    const nodes = Array.from({ length: NODES }, () => new ClusterNode(redis.url, "rolling"))
    await Promise.all(nodes.map((node) => node.start()))
    const balancer = await startBalancer(
      nodes.map(({ port }) => port),
      { checkMs: 50 },
    )
    onTestFinished(() => balancer.close())
    const url = `ws://127.0.0.1:${balancer.port}`
    const clients = Array.from({ length: CLIENTS }, (_, index) => subscriber(url, index))
    await Promise.all(clients.map(({ room }) => room.ready()))
    await Promise.all(clients.map(({ room, name }) => room.presence.enter({ name })))
    const joins = new Map(clients[0]?.room.presence.members)
    const left = new Set<string>()
    clients[0]?.room.presence.onChange((members) => {
      for (const [member, { name }] of joins) if (!members.has(member)) left.add(name)
    })
    // beside the nodes, so that there is something to deliver whoever is just moving
    const backend = createHub(app, { log: redisLog(redis.url, { prefix: "rolling" }) })
    onTestFinished(() => backend.close())
    const stops = [
      publishing("backend", (data) => backend.channel("room/:room", lobby).publish("said", data)),
      ...clients
        .slice(0, PUBLISHING_CLIENTS)
        .map(({ name, room }) => publishing(name, (data) => room.publish("said", data))),
    ]
    for (const node of nodes) {
      expect(await node.stop()).toBe(0)
      await node.start()
      while (balancer.ready().length < NODES) await new Promise((resolve) => setImmediate(resolve))
    }
    const acknowledged = (await Promise.all(stops.map((stop) => stop()))).flat()
    await Promise.all(clients.map(({ hears }) => hears(acknowledged.length)))
    const [first] = clients
    for (const { heard, gaps } of clients) {
      expect(heard.toSorted()).toEqual(acknowledged.toSorted())
      expect(heard).toEqual(first?.heard)
      expect(gaps()).toBe(0)
    }
    // the others may be gone for a moment: their requests go to a node that leaves, as long as it keeps the TCP connection
    for (const { name, statuses } of clients.filter(({ transport }) => transport === "websocket")) {
      expect(statuses).toEqual(["open"])
      expect(left).not.toContain(name)
    }
  })
})
