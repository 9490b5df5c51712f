import { once } from "node:events"
import type { Socket } from "node:net"
import { expect, test } from "vitest"
import { appServer, get, handshake } from "./support/http.ts"
import { createTestHub, recordingLogger, startTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

test("beyond the connections that it may have, a hub refuses more, and says so once", async () => {
  const logger = recordingLogger()
  const { url } = await startTestHub({ logger, limits: { connectionsMax: 2 } })
  const first = await WireClient.greet(url)
  await WireClient.greet(url)
  for (let count = 0; count < 3; count++) {
    const { status, body } = await get(url, handshake)
    expect(status).toBe(503)
    expect(body).toContain("as many connections")
  }
  expect(logger.lines).toMatchObject([{ level: "warn", fields: { connectionsMax: 2 } }])
  await first.close()
  await WireClient.greet(url)
})

test("who asks without taking the answers is not read from until it does", async () => {
  const { server, base } = await appServer()
  const limits = { unsentBytesMax: 200_000, pendingMessagesPerConnectionMax: 1_000_000 }
  createTestHub({ limits }).attach(server)
  const accepted = once(server, "connection")
  const client = await WireClient.greet(`${base}/holdfast`)
  const [serverSide] = (await accepted) as [Socket]
  await client.subscribe("room/a")
  client.socket.pause()
  const questions = 3_000
  const data = "x".repeat(10_000)
  for (let id = 1; id <= questions; id++) {
    client.send({ type: "call", id, channel: "room/a", name: "repeat", data, timeoutMs: 60_000 })
  }
  await once(serverSide, "pause")
  expect(serverSide.writableLength).toBeGreaterThan(200_000)
  expect(serverSide.writableLength).toBeLessThan(400_000)
  client.socket.resume()
  for (let id = 1; id <= questions; id++) expect((await client.next("result")).id).toBe(id)
})
