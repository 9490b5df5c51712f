import { once } from "node:events"
import type * as Zlib from "node:zlib"
import { describe, expect, test, vi } from "vitest"
import { WebSocket } from "ws"
import { get, handshake } from "./support/http.ts"
import { startTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

const deflated = vi.hoisted(() => ({ count: 0 }))
vi.mock("node:zlib", async (original) => {
  const zlib = await original<typeof Zlib>()
  const deflateRawSync: typeof zlib.deflateRawSync = (...args) => {
    deflated.count++
    return zlib.deflateRawSync(...args)
  }
  return { ...zlib, deflateRawSync }
})

const text = "holdfast ".repeat(1000)

describe("with compression on", () => {
  test("a message is compressed once for all who take it, and the others read it too", async () => {
    const { hub, url } = await startTestHub({ compression: {} })
    const clients = [
      await WireClient.greet(url, { perMessageDeflate: true }),
      await WireClient.greet(url, { perMessageDeflate: true }),
      await WireClient.greet(url, { perMessageDeflate: { serverMaxWindowBits: 10 } }),
      await WireClient.greet(url),
    ]
    expect(clients.map((client) => client.webSocket.extensions)).toEqual([
      "permessage-deflate",
      "permessage-deflate",
      "",
      "",
    ])
    for (const client of clients) await client.subscribe("room/a")
    const before = deflated.count
    const [compressed, plain] = [clients[0]!.socket.bytesRead, clients[3]!.socket.bytesRead]
    await hub.channel("room/:room", { room: "a" }).publish("said", { text })
    for (const client of clients) expect((await client.next("event")).data).toEqual({ text })
    expect(deflated.count - before).toBe(1)
    expect(clients[0]!.socket.bytesRead - compressed).toBeLessThan(500)
    expect(clients[3]!.socket.bytesRead - plain).toBeGreaterThan(text.length)
  })

  test("several compressed messages in a row are read, and those too small to compress", async () => {
    const { hub, url } = await startTestHub({ compression: { thresholdBytes: 500 } })
    const client = await WireClient.greet(url, { perMessageDeflate: true, codec: "msgpack" })
    await client.subscribe("room/a")
    const texts = Array.from({ length: 20 }, (_, index) => `${index} ${index % 2 === 0 ? text : "short"}`)
    const room = hub.channel("room/:room", { room: "a" })
    await Promise.all(texts.map((each) => room.publish("said", { text: each })))
    for (const each of texts) expect((await client.next("event")).data).toEqual({ text: each })
  })

  test("what clients compress is read, and its limit is that of what it becomes", async () => {
    const { url } = await startTestHub({ compression: {}, limits: { messageBytesMax: 10_000 } })
    const client = await WireClient.greet(url, { perMessageDeflate: { threshold: 0 } })
    await client.subscribe("room/a")
    const said = { type: "publish", id: 1, channel: "room/a", name: "said", idempotencyKey: "k" } as const
    client.send({ ...said, data: { text } })
    expect((await client.next("event")).data).toEqual({ text })
    client.webSocket.send("x".repeat(1_000_000))
    expect((await client.closed).code).toBe(1009)
  })

  test("neither side keeps a window from message to message", async () => {
    const { url } = await startTestHub({ compression: {} })
    const webSocket = new WebSocket(url, "holdfast.v1.json", { perMessageDeflate: true })
    const [response] = (await once(webSocket, "upgrade")) as [{ headers: Record<string, string> }]
    expect(response.headers["sec-websocket-extensions"]).toContain("server_no_context_takeover")
    expect(response.headers["sec-websocket-extensions"]).toContain("client_no_context_takeover")
    webSocket.on("error", () => undefined)
    webSocket.terminate()
  })
})

test("by default nothing is compressed", async () => {
  const { url } = await startTestHub()
  const answer = await get(url, { ...handshake, "Sec-WebSocket-Extensions": "permessage-deflate" })
  expect(answer.status).toBe(101)
  expect(answer.headers["sec-websocket-extensions"]).toBeUndefined()
})
