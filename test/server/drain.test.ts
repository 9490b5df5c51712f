import { once } from "node:events"
import { createHub, memoryLog } from "holdfast/server"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { listeningAt, spawnTsx } from "../support/tsx-process.ts"
import { get, handshake } from "./support/http.ts"
import { app, startTestHub } from "./support/hubs.ts"
import { newSession, openEvents, post } from "./support/plain-http.ts"
import { virtualTimers } from "./support/virtual-timers.ts"
import { WireClient } from "./support/wire-client.ts"

const lobby = { room: "lobby" }

test("a hub that drains serves each client until it has gone, then closes", async () => {
  const log = memoryLog()
  let closed = false
  const close = async () => {
    closed = true
    await log.close()
  }
  const { hub, url, port } = await startTestHub({ log: { ...log, close } })
  const client = await WireClient.greet(url)
  await client.subscribe("room/lobby")
  const drained = hub.drain({ spreadMs: 1_000, reason: "a deploy" })
  const goaway = await client.next("goaway")
  expect(goaway).toMatchObject({ reason: "a deploy", reconnect: true })
  expect(goaway.afterMs).toBeLessThanOrEqual(1_000)
  await hub.channel("room/:room", lobby).publish("said", { text: "still served" })
  expect(await client.next("event")).toMatchObject({ data: { text: "still served" } })
  expect(closed).toBe(false)
  client.webSocket.close(4408)
  await drained
  expect(closed).toBe(true)
  await expect(get(`http://127.0.0.1:${port}/healthz`)).rejects.toMatchObject({ code: "ECONNREFUSED" })
})

test("spreads its clients over the time that it is given", async () => {
  const { hub, url } = await startTestHub()
  const clients = await Promise.all(Array.from({ length: 40 }, () => WireClient.greet(url)))
  const drained = hub.drain({ spreadMs: 60_000 })
  const times = await Promise.all(clients.map(async (client) => (await client.next("goaway")).afterMs))
  expect(Math.max(...times) - Math.min(...times)).toBeGreaterThan(20_000)
  for (const client of clients) client.webSocket.close(4408)
  await drained
})

test("refuses who comes meanwhile, and says that it is the server that goes", async () => {
  const { hub, url, port } = await startTestHub()
  const client = await WireClient.greet(url)
  const drained = hub.drain()
  expect((await get(url, handshake)).status).toBe(503)
  const sent = await post(`http://127.0.0.1:${port}/holdfast/poll`, {
    session: newSession(),
    subscriptions: [{ channel: "room/lobby" }],
  })
  expect(sent.status).toBe(503)
  expect(sent.problem).toMatchObject({ code: "closed" })
  expect(sent.headers.get("connection")).toBe("close")
  client.webSocket.close(4408)
  await drained
})

test("takes connections as long as it was told that the balancer needs to see that it is not ready", async () => {
  const { hub, url } = await startTestHub()
  const { advance } = virtualTimers()
  const client = await WireClient.greet(url)
  const drained = hub.drain({ noticeMs: 1_500 })
  advance(1_499)
  expect(hub.health().ready).toBe(false)
  const late = await WireClient.greet(url)
  advance(1)
  for (const each of [client, late]) await each.next("goaway")
  for (const each of [client, late]) each.webSocket.close(4408)
  await drained
})

test("who does not go by itself is closed when the handover is over", async () => {
  const { hub, url } = await startTestHub({ limits: { handoverMs: 20 } })
  const client = await WireClient.greet(url)
  await hub.drain({ spreadMs: 0 })
  expect((await client.closed).code).toBe(1001)
})

test("a line that does not end is cut before the deadline", async () => {
  const { hub, url } = await startTestHub({ limits: { closeTimeoutMs: 3_900 } })
  const { advance } = virtualTimers()
  const client = await WireClient.greet(url)
  const drained = hub.drain({ spreadMs: 0, deadlineMs: 4_000 })
  // half of the time is left for the end, in any case
  advance(2_000)
  await drained
  expect((await client.closed).code).toBe(1006)
})

test("what takes longer than the deadline is told", async () => {
  const log = memoryLog()
  const hub = createHub(app, { log: { ...log, close: () => new Promise<void>(() => undefined) } })
  await expect(hub.drain({ deadlineMs: 20 })).rejects.toMatchObject({ code: "timeout" })
})

test("a poll is answered at once, an event stream goes on, a raw socket is closed in its turn", async () => {
  const { hub, url, port } = await startTestHub({ limits: { handoverMs: 100 } })
  const { advance } = virtualTimers()
  hub.raw("/raw", () => new Promise<void>(() => undefined))
  const raw = new WebSocket(`ws://127.0.0.1:${port}/raw`)
  await once(raw, "open")
  const rawClosed = once(raw, "close")
  const base = url.replace(/^ws/, "http")
  const stream = await openEvents(`${base}/events?channel=room/lobby`)
  await stream.next("subscribed")
  const session = newSession()
  const first = await post(`${base}/poll`, { session, subscriptions: [{ channel: "room/lobby" }] })
  const position = first.messages.find((message) => message.type === "subscribed")?.position
  const poll = post(`${base}/poll`, { session, subscriptions: [{ channel: "room/lobby", position }] })
  while ([...hub.connections()].length < 2) await new Promise((resolve) => setImmediate(resolve))
  const drained = hub.drain({ spreadMs: 1_000 })
  expect((await poll).messages).toContainEqual(expect.objectContaining({ type: "goaway", afterMs: 0 }))
  expect((await stream.next("goaway"))?.message).toMatchObject({ reconnect: true })
  await hub.channel("room/:room", lobby).publish("said", { text: "still served" })
  expect((await stream.next("event"))?.message.data).toEqual({ text: "still served" })
  advance(1_000)
  expect(((await rawClosed) as [number])[0]).toBe(1001)
  advance(100)
  await drained
})

test("draining twice is draining once", async () => {
  const { hub } = await startTestHub()
  expect(hub.drain()).toBe(hub.drain())
  await hub.drain()
})

/** A server that drains on signals, in a process of its own. */
async function startProcess(...args: string[]) {
  const child = spawnTsx("test/server/support/draining-server.ts", args, "pipe")
  onTestFinished(() => void child.kill("SIGKILL"))
  const exited = once(child, "exit") as Promise<[number | null]>
  let errors = ""
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const url = await listeningAt(child)
  return { child, url, exitCode: async () => (await exited)[0], errors: () => errors }
}

test("SIGTERM drains a process, which exits with 0", async () => {
  const { child, url, exitCode } = await startProcess()
  const client = await WireClient.greet(url)
  child.kill("SIGTERM")
  await client.next("goaway")
  client.webSocket.close(4408)
  expect(await exitCode()).toBe(0)
})

test("a second signal ends it at once; the echo of the first does not", async () => {
  const { child, url, exitCode } = await startProcess()
  const client = await WireClient.greet(url)
  // it answers no close, so the server waits for it
  client.socket.pause()
  child.kill("SIGINT")
  child.kill("SIGINT")
  // it takes half a second to tell another signal from an echo
  const again = setInterval(() => child.kill("SIGTERM"), 100)
  onTestFinished(() => clearInterval(again))
  expect(await exitCode()).toBe(143)
  client.socket.resume()
  await client.closed
})

test("SIGTERM closes at once when there is no other node for the clients", async () => {
  const { child, url, exitCode } = await startProcess()
  const client = await WireClient.greet(url)
  child.kill("SIGTERM")
  expect(await client.next("goaway")).toMatchObject({ reconnect: true, afterMs: 0 })
  // nothing but its end makes it go: a drain would wait for the client
  expect((await client.closed).code).toBe(1001)
  expect(await exitCode()).toBe(0)
})

test("a drain that fails makes it exit with 1, and is logged", async () => {
  const { child, exitCode, errors } = await startProcess("fail")
  child.kill("SIGTERM")
  expect(await exitCode()).toBe(1)
  expect(errors()).toContain("the disk is gone")
})
