import { once } from "node:events"
import type { Socket } from "node:net"
import { createHub, memoryLog } from "holdfast/server"
import { describe, expect, test } from "vitest"
import { appServer, bare, bareUpgraded, clientFrame, get, handshake } from "./support/http.ts"
import { app, createTestHub, recordingLogger, startTestHub } from "./support/hubs.ts"
import { virtualTimers } from "./support/virtual-timers.ts"
import { WireClient } from "./support/wire-client.ts"

describe("closing a hub", () => {
  test("sends everybody away in an orderly way, and frees the port", async () => {
    const { hub, url, port } = await startTestHub()
    const clients = await Promise.all(Array.from({ length: 10 }, () => WireClient.greet(url)))
    await hub.close()
    for (const client of clients) {
      expect(await client.next("goaway")).toMatchObject({ reconnect: true })
      expect((await client.closed).code).toBe(1001)
    }
    await expect(get(url)).rejects.toMatchObject({ code: "ECONNREFUSED" })
    await createTestHub().listen({ port })
  })

  test("does not wait longer than its deadline for who does not answer", async () => {
    const { hub, port } = await startTestHub({ limits: { closeTimeoutMs: 30 } })
    const silent = await bareUpgraded(port)
    silent.pause()
    const idle = await bare(port)
    const gone = [once(silent, "close"), once(idle, "close")]
    await hub.close()
    silent.resume()
    idle.resume()
    await Promise.all(gone)
  })

  test("ends a listen that is under way", async () => {
    const hub = createTestHub()
    const listening = hub.listen({ port: 0 })
    const refused = expect(listening).rejects.toMatchObject({ code: "closed" })
    await hub.close()
    await refused
  })

  test("closes the log, and can be done twice", async () => {
    const log = memoryLog()
    let closed = 0
    const close = async () => {
      closed++
      await log.close()
    }
    const { hub } = await startTestHub({ log: { ...log, close } })
    await Promise.all([hub.close(), hub.close()])
    await hub.close()
    expect(closed).toBe(1)
  })

  test("fails when the log cannot be closed, but not before the rest is", async () => {
    const close = () => Promise.reject(new Error("disk full"))
    const hub = createHub(app, { log: { ...memoryLog(), close }, logger: recordingLogger() })
    const { url } = await hub.listen({ port: 0 })
    const client = await WireClient.greet(url)
    await expect(hub.close()).rejects.toThrow("disk full")
    expect((await client.closed).code).toBe(1001)
    await expect(get(url)).rejects.toMatchObject({ code: "ECONNREFUSED" })
  })

  test("refuses those who come while it lasts", async () => {
    const { server, port, base } = await appServer()
    const hub = createTestHub({ limits: { closeTimeoutMs: 3_600_000 } })
    hub.attach(server)
    const silent = await bareUpgraded(port)
    silent.pause()
    const closing = hub.close()
    expect((await get(`${base}/holdfast`, handshake)).status).toBe(503)
    silent.destroy()
    await closing
  })
})

describe("a single connection", () => {
  test("that is disconnected is told why, and not to come back", async () => {
    const { hub, url } = await startTestHub()
    const client = await WireClient.greet(url)
    for (const connection of hub.connections()) connection.close("banned")
    expect(await client.next("goaway")).toMatchObject({ reason: "banned", reconnect: false })
    expect(await client.closed).toEqual({ code: 4403, reason: "banned" })
  })

  test("that is dropped sees its line cut without a word", async () => {
    const { hub, url } = await startTestHub()
    const client = await WireClient.greet(url)
    for (const connection of hub.connections()) connection.drop()
    expect((await client.closed).code).toBe(1006)
    expect(client.received).toEqual([])
  })

  test("a reason that no close frame can carry is cut", async () => {
    const { hub, url } = await startTestHub()
    const client = await WireClient.greet(url)
    for (const connection of hub.connections()) connection.close("😀".repeat(100))
    const { code, reason } = await client.closed
    expect(code).toBe(4403)
    expect(reason).toMatch(/^(😀)+$/u)
  })

  test("the client's own close is answered with its code", async () => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url)
    client.webSocket.close(1000, "bye")
    expect(await client.closed).toEqual({ code: 1000, reason: "bye" })
  })
})

describe("heartbeats", () => {
  test("are sent, and who answers them stays", async () => {
    const { hub, url } = await startTestHub({ limits: { heartbeatMs: 30 } })
    const client = await WireClient.greet(url)
    for (let count = 0; count < 6; count++) {
      await client.next("ping")
      client.send({ type: "pong" })
    }
    expect([...hub.connections()]).toHaveLength(1)
  })

  test("who answers none is closed", async () => {
    const { url } = await startTestHub({ limits: { heartbeatMs: 30 } })
    const client = await WireClient.greet(url)
    expect((await client.closed).code).toBe(4408)
  })

  test("who ends its side, and takes nothing any more, is cut in the end", async () => {
    const { server, port } = await appServer()
    const hub = createTestHub({ limits: { heartbeatMs: 50, closeTimeoutMs: 50 } })
    const { advance } = virtualTimers()
    hub.attach(server)
    const accepted = once(server, "connection")
    const socket = await bareUpgraded(port)
    const [serverSide] = (await accepted) as [Socket]
    socket.pause()
    const hello = { type: "hello", session: "s".repeat(22), subscriptions: [{ channel: "room/a" }] }
    socket.write(clientFrame(0x81, JSON.stringify(hello)))
    await once(serverSide, "data")
    const room = hub.channel("room/:room", { room: "a" })
    for (let count = 0; count < 200; count++) await room.publish("said", { text: "x".repeat(100_000) })
    const gone = once(serverSide, "close")
    socket.end()
    advance(1_000)
    await gone
    expect(serverSide.bytesWritten).toBeLessThan(20_000_000)
    socket.destroy()
  })
})
