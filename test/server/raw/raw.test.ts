import { once } from "node:events"
import type { Socket } from "node:net"
import type { RawSocket } from "holdfast/server"
import { describe, expect, onTestFinished, test } from "vitest"
import { type ClientOptions, WebSocket } from "ws"
import { deferred } from "../support/deferred.ts"
import { appServer, get, handshake } from "../support/http.ts"
import { createTestHub, recordingLogger } from "../support/hubs.ts"

type Options = Parameters<typeof createTestHub>[0]
type Raw = ReturnType<typeof createTestHub>["raw"]

async function serve(
  handler: Parameters<Raw>[1],
  options: Options = {},
  rawOptions: Parameters<Raw>[2] = {},
) {
  const hub = createTestHub(options)
  hub.raw("/raw", handler, rawOptions)
  const { port } = await hub.listen({ port: 0 })
  return { hub, url: `ws://127.0.0.1:${port}/raw` }
}

async function open(
  url: string,
  subprotocols: string[] = [],
  options: ClientOptions = {},
): Promise<WebSocket> {
  const webSocket = new WebSocket(url, subprotocols, options)
  onTestFinished(() => webSocket.terminate())
  await once(webSocket, "open")
  return webSocket
}

async function nextMessage(webSocket: WebSocket): Promise<string | Uint8Array> {
  const [data, binary] = (await once(webSocket, "message")) as [Buffer, boolean]
  return binary ? new Uint8Array(data) : data.toString()
}

async function closed(webSocket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(webSocket, "close")) as [number, Buffer]
  return { code, reason: reason.toString() }
}

const socketOf = (webSocket: WebSocket) => (webSocket as unknown as { readonly _socket: Socket })._socket

describe("a raw socket", () => {
  test("carries text and bytes, each as what it is", async () => {
    const { url } = await serve((socket) => socket.onMessage((message) => socket.send(message)))
    const webSocket = await open(url)
    webSocket.send("héllo")
    expect(await nextMessage(webSocket)).toBe("héllo")
    webSocket.send(Uint8Array.of(0, 128, 255))
    expect(await nextMessage(webSocket)).toEqual(Uint8Array.of(0, 128, 255))
    webSocket.send("x".repeat(100_000))
    expect(await nextMessage(webSocket)).toBe("x".repeat(100_000))
  })

  test("speaks first when it likes, and is given the request", async () => {
    const { url } = await serve((socket, request) => socket.send(`you asked for ${request.url}`))
    const webSocket = new WebSocket(`${url}?a=1`)
    expect(await nextMessage(webSocket)).toBe("you asked for /raw?a=1")
    webSocket.terminate()
  })

  test("can be read in a loop, which ends with the socket", async () => {
    const heard: unknown[] = []
    const loop = deferred()
    const { url } = await serve(async (socket) => {
      for await (const message of socket) heard.push(message)
      loop.resolve()
    })
    const webSocket = await open(url)
    for (let count = 0; count < 100; count++) webSocket.send(String(count))
    webSocket.close()
    await loop.promise
    expect(heard).toEqual(Array.from({ length: 100 }, (_, index) => String(index)))
  })

  test("keeps what comes before somebody reads", async () => {
    const given = deferred<RawSocket>()
    const { url } = await serve(given.resolve)
    const webSocket = await open(url)
    webSocket.send("first")
    webSocket.send("second")
    webSocket.ping()
    // The pong says that both have arrived.
    await once(webSocket, "pong")
    const heard: unknown[] = []
    const both = deferred()
    const socket = await given.promise
    socket.onMessage((message) => {
      if (heard.push(message) === 2) both.resolve()
    })
    await both.promise
    expect(heard).toEqual(["first", "second"])
  })

  test("closes with the code and reason that it is told", async () => {
    const { url } = await serve((socket) => socket.close(4000, "enough"))
    expect(await closed(new WebSocket(url))).toEqual({ code: 4000, reason: "enough" })
  })

  test("tells when it is gone, also those who ask late", async () => {
    const told = deferred()
    const { url } = await serve((socket) => socket.onClose(() => socket.onClose(told.resolve)))
    const webSocket = await open(url)
    webSocket.terminate()
    await told.promise
  })

  test("sends nothing once it is closed, and says so", async () => {
    let answer: unknown
    const told = deferred()
    const { url } = await serve((socket) =>
      socket.onClose(() => {
        answer = socket.send("too late")
        told.resolve()
      }),
    )
    ;(await open(url)).close()
    await told.promise
    expect(answer).toBe(false)
  })
})

describe("backpressure", () => {
  const chunk = new Uint8Array(64 * 1024)

  test("a sender that waits is held up by a peer that does not read, and goes on when it does", async () => {
    let sent = 0
    const stall = deferred()
    const finish = deferred()
    const { url } = await serve(async (socket) => {
      while (sent < 500) {
        const room = socket.send(chunk)
        sent++
        if (room !== true) stall.resolve()
        expect(await room).toBe(true)
      }
      finish.resolve()
    })
    const webSocket = await open(url)
    socketOf(webSocket).pause()
    await stall.promise
    expect(sent).toBeLessThan(500)
    socketOf(webSocket).resume()
    await finish.promise
  })

  test("a sender that waits learns that the peer is gone", async () => {
    const stall = deferred()
    const answer = deferred<boolean>()
    const { url } = await serve(async (socket) => {
      let room = socket.send(chunk)
      while (room === true) room = socket.send(chunk)
      stall.resolve()
      answer.resolve(await room)
    })
    const webSocket = await open(url)
    socketOf(webSocket).pause()
    await stall.promise
    webSocket.terminate()
    expect(await answer.promise).toBe(false)
  })

  test("a sender that does not wait is cut at the limit", async () => {
    const logger = recordingLogger()
    const { url } = await serve(
      (socket) => {
        while (socket.send(chunk) !== false);
      },
      { logger, limits: { rawUnsentBytesMax: 1024 * 1024 } },
    )
    const webSocket = new WebSocket(url)
    webSocket.on("error", () => undefined)
    webSocket.on("open", () => socketOf(webSocket).pause())
    await once(webSocket, "open")
    socketOf(webSocket).resume()
    expect((await closed(webSocket)).code).toBe(1006)
    expect(logger.lines[0]).toMatchObject({ level: "warn", fields: { rawUnsentBytesMax: 1024 * 1024 } })
  })

  test("a reader that is slow pauses the peer", async () => {
    const held = deferred()
    let heard = 0
    const finish = deferred()
    const { url } = await serve((socket) => {
      socket.onMessage(async () => {
        if (heard === 0) await held.promise
        if (++heard === 500) finish.resolve()
      })
    })
    const webSocket = await open(url)
    const socket = socketOf(webSocket)
    for (let count = 0; count < 500; count++) webSocket.send(chunk)
    // 32 MB are more than two kernels' buffers: the rest stays with the sender while nobody reads.
    expect(socket.writableLength).toBeGreaterThan(0)
    held.resolve()
    await finish.promise
    expect(heard).toBe(500)
  })
})

describe("what goes wrong stays with the socket", () => {
  test.each([
    [
      "throws",
      () => {
        throw new Error("secret")
      },
    ],
    [
      "rejects",
      async () => {
        throw new Error("secret")
      },
    ],
  ])("a handler that %s", async (_how, handler) => {
    const logger = recordingLogger()
    const { url } = await serve(handler, { logger })
    expect(await closed(new WebSocket(url))).toEqual({ code: 1011, reason: "the server's handler failed" })
    expect(logger.lines).toMatchObject([{ level: "error" }])
  })

  test("a listener that throws", async () => {
    const logger = recordingLogger()
    const { url } = await serve(
      (socket) =>
        socket.onMessage(() => {
          throw new Error("secret")
        }),
      { logger },
    )
    const webSocket = await open(url)
    webSocket.send("x")
    expect((await closed(webSocket)).code).toBe(1011)
    expect(logger.lines).toMatchObject([{ level: "error" }])
  })

  test("a message above the limit closes, and names the limit", async () => {
    const { url } = await serve(() => undefined, { limits: { messageBytesMax: 1000 } })
    const webSocket = await open(url)
    webSocket.send("x".repeat(1001))
    expect(await closed(webSocket)).toEqual({ code: 1009, reason: "a message may have at most 1000 bytes" })
  })
})

describe("who is let in", () => {
  test("is for authorize to say", async () => {
    const authorize = async (request: { url?: string | undefined }) => {
      if (request.url?.includes("throw")) throw new Error("secret")
      return request.url?.includes("yes") === true
    }
    const { url } = await serve(() => undefined, {}, { authorize })
    expect((await get(`${url}?yes`, handshake)).status).toBe(101)
    expect((await get(`${url}?no`, handshake)).status).toBe(401)
    const thrown = await get(`${url}?throw`, handshake)
    expect(thrown.status).toBe(401)
    expect(thrown.body).not.toContain("secret")
  })

  test("is not who takes authorize too long", async () => {
    const never = () => new Promise<boolean>(() => undefined)
    const { url } = await serve(() => undefined, { limits: { helloTimeoutMs: 20 } }, { authorize: never })
    expect((await get(url, handshake)).status).toBe(401)
  })

  test("is nobody of another origin", async () => {
    const { url } = await serve(() => undefined)
    expect((await get(url, { ...handshake, Origin: "https://evil.example" })).status).toBe(403)
  })

  test("speaks a subprotocol of the door's, if it has any", async () => {
    const { url } = await serve((socket) => socket.send(socket.subprotocol), {}, { subprotocols: ["b", "c"] })
    const webSocket = new WebSocket(url, ["a", "c"])
    expect(await nextMessage(webSocket)).toBe("c")
    webSocket.terminate()
    const refused = await get(url, { ...handshake, "Sec-WebSocket-Protocol": "a" })
    expect(refused.status).toBe(400)
    expect(refused.body).toContain("b, c")
  })
})

describe("heartbeats", () => {
  test("keep who answers pings, and cut who does not", async () => {
    const { url } = await serve(() => undefined, { limits: { heartbeatMs: 30 } })
    const answering = await open(url)
    for (let count = 0; count < 4; count++) await once(answering, "ping")
    expect(answering.readyState).toBe(WebSocket.OPEN)
    const deaf = new WebSocket(url, { autoPong: false })
    expect((await closed(deaf)).code).toBe(1006)
  })
})

describe("doors", () => {
  test("can be added while the hub listens", async () => {
    const hub = createTestHub()
    const { port } = await hub.listen({ port: 0 })
    hub.raw("/late", (socket) => socket.send("hello"))
    expect(await nextMessage(new WebSocket(`ws://127.0.0.1:${port}/late`))).toBe("hello")
    expect((await get(`http://127.0.0.1:${port}/late`)).status).toBe(426)
    expect(() => hub.raw("/late", () => undefined)).toThrow("/late")
  })

  test("that clash with another hub's leave nothing behind", async () => {
    const { server } = await appServer()
    const [one, two] = [createTestHub(), createTestHub()]
    one.raw("/same", () => undefined)
    two.raw("/same", () => undefined)
    one.attach(server, { path: "/one" })
    expect(() => two.attach(server, { path: "/two" })).toThrow("/same")
    two.raw("/other", () => undefined)
    await one.close()
    two.attach(server, { path: "/two" })
  })

  test("close with the hub", async () => {
    const { hub, url } = await serve(() => undefined)
    const webSocket = await open(url)
    const gone = closed(webSocket)
    await hub.close()
    expect((await gone).code).toBe(1001)
  })
})
