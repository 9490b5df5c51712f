import { once } from "node:events"
import { describe, expect, test } from "vitest"
import { bare, bareUpgraded, clientFrame, handshake } from "./support/http.ts"
import { startTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

const KIB = 1024

describe("what is no message gets an error, and the connection goes on", () => {
  test.each([
    ["text that is no JSON", "{"],
    ["a number", "1"],
    ["an object without a type", "{}"],
    ["an unknown type", '{"type":"explode"}'],
    ["a known type without its fields", '{"type":"publish","id":1}'],
  ])("%s", async (_what, text) => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url)
    client.webSocket.send(text)
    expect((await client.next("error")).code).toBe("invalid_message")
    await client.subscribe("room/a")
  })

  test("a binary frame on a connection that speaks JSON", async () => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url)
    client.webSocket.send(Buffer.from("{}"))
    expect(await client.next("error")).toMatchObject({
      code: "invalid_message",
      message: expect.stringContaining("text frames"),
    })
    await client.subscribe("room/a")
  })

  test("a text frame, or broken bytes, on a connection that speaks MessagePack", async () => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url, { codec: "msgpack" })
    client.webSocket.send("{}")
    expect((await client.next("error")).code).toBe("invalid_message")
    client.webSocket.send(Buffer.from([0xc1]))
    expect((await client.next("error")).code).toBe("invalid_message")
    await client.subscribe("room/a")
  })

  test("a message above the limit, which is named", async () => {
    const { url } = await startTestHub({ limits: { messageBytesMax: 10 * KIB } })
    const client = await WireClient.greet(url)
    const data = { text: "x".repeat(20 * KIB) }
    client.send({ type: "publish", id: 7, channel: "room/a", name: "said", data, idempotencyKey: "k" })
    expect(await client.next("error")).toMatchObject({ id: 7, code: "message_too_large", limit: 10 * KIB })
    await client.subscribe("room/a")
  })
})

describe("what breaks WebSocket closes the connection, with a reason", () => {
  test("a message above four times the limit", async () => {
    const { url } = await startTestHub({ limits: { messageBytesMax: 10 * KIB } })
    const client = await WireClient.greet(url)
    client.webSocket.send("x".repeat(41 * KIB))
    expect(await client.closed).toEqual({
      code: 1009,
      reason: `a message may have at most ${40 * KIB} bytes`,
    })
  })

  test("text that is not UTF-8", async () => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url)
    client.socket.write(clientFrame(0x81, Buffer.from([0xff, 0xfe])))
    expect(await client.closed).toEqual({ code: 1007, reason: "the text is not UTF-8" })
  })

  test.each([
    ["a reserved opcode", Buffer.from([0x83, 0x80, 0, 0, 0, 0])],
    ["a frame without a mask", Buffer.from([0x81, 0x01, 0x20])],
    ["compression that was not agreed on", clientFrame(0xc1, "x")],
    ["a control frame that is too long", clientFrame(0x89, "x".repeat(126))],
  ])("%s", async (_what, bytes) => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url)
    client.socket.write(bytes)
    expect((await client.closed).code).toBe(1002)
  })

  test("no hello in time", async () => {
    const { url } = await startTestHub({ limits: { helloTimeoutMs: 20, heartbeatMs: 100 } })
    const client = await WireClient.open(url)
    expect((await client.closed).code).toBe(4408)
  })

  test("something else before hello, and a second hello", async () => {
    const { url } = await startTestHub()
    const early = await WireClient.open(url)
    early.send({ type: "subscribe", channel: "room/a" })
    expect((await early.next("error")).code).toBe("hello_expected")
    expect((await early.closed).code).toBe(4400)
    const twice = await WireClient.greet(url)
    twice.hello()
    expect((await twice.closed).code).toBe(4400)
  })
})

describe("hostile connections", () => {
  /** The hub still serves. */
  async function stillServes(url: string) {
    const client = await WireClient.greet(url)
    await client.subscribe("room/a")
    await client.close()
  }

  test("bytes that are no HTTP are answered 400", async () => {
    const { url, port } = await startTestHub()
    const socket = await bare(port)
    socket.write("\x16\x03\x01 this is no HTTP\r\n\r\n")
    const [answer] = (await once(socket, "data")) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400/)
    await stillServes(url)
  })

  test.each([
    ["a key that is none", { "Sec-WebSocket-Key": "short" }],
    ["a version of the future", { "Sec-WebSocket-Version": "99" }],
    ["an upgrade to something else", { Upgrade: "h2c" }],
    ["extensions that cannot be read", { "Sec-WebSocket-Extensions": "permessage-deflate; x=" }],
  ])("a handshake with %s is refused", async (_what, headers) => {
    const { url, port } = await startTestHub({ compression: {} })
    const socket = await bare(port)
    const lines = Object.entries({ Host: "127.0.0.1", ...handshake, ...headers }).map((each) =>
      each.join(": "),
    )
    socket.write(`GET /holdfast HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`)
    const [answer] = (await once(socket, "data")) as [Buffer]
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 4\d\d/)
    await stillServes(url)
  })

  test("a request that never ends is cut by the deadline", async () => {
    const { url, port } = await startTestHub({ limits: { requestTimeoutMs: 500 } })
    const socket = await bare(port)
    socket.write("GET /holdfast HTTP/1.1\r\nHost: x\r\nX-Slow: ")
    socket.resume()
    await once(socket, "close")
    await stillServes(url)
  })

  test("resets, in the middle of a handshake and after it, concern nobody else", async () => {
    const { url, port } = await startTestHub()
    for (let count = 0; count < 20; count++) {
      const socket = await bare(port)
      socket.write("GET /holdfast HTTP/1.1\r\nUpgrade: webso")
      socket.resetAndDestroy()
      const upgraded = await bareUpgraded(port)
      upgraded.write(clientFrame(0x81, '{"type":"hello"').subarray(0, 8))
      upgraded.resetAndDestroy()
    }
    await stillServes(url)
  })

  test("a peer that ends its side without a close frame is let go", async () => {
    const { url, port } = await startTestHub()
    const socket = await bareUpgraded(port)
    socket.resume()
    socket.end()
    await once(socket, "close")
    await stillServes(url)
  })

  test("a flood of handshakes with garbage behind them concerns nobody else", async () => {
    const { url, port } = await startTestHub()
    const sockets = await Promise.all(Array.from({ length: 200 }, () => bareUpgraded(port)))
    const closed = sockets.map((socket) => {
      socket.resume()
      return once(socket, "close")
    })
    for (const socket of sockets) socket.write(Buffer.alloc(1000, 0xff))
    await Promise.all(closed)
    await stillServes(url)
  })
})
