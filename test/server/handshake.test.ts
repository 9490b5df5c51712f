import { describe, expect, test } from "vitest"
import { WebSocket } from "ws"
import { appServer, get, handshake } from "./support/http.ts"
import { createTestHub, startTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

describe("a hub's own server", () => {
  test("tells a browser that it is reached by WebSocket", async () => {
    const { url } = await startTestHub()
    const { status, headers, body } = await get(url)
    expect(status).toBe(426)
    expect(headers.upgrade).toBe("websocket")
    expect(body).toContain("holdfast/client")
  })

  test("says where WebSockets are taken when asked elsewhere", async () => {
    const { port } = await startTestHub()
    const plain = await get(`http://127.0.0.1:${port}/`)
    expect(plain.status).toBe(404)
    expect(plain.body).toContain("/holdfast")
    const upgrade = await get(`http://127.0.0.1:${port}/other`, handshake)
    expect(upgrade.status).toBe(404)
    expect(upgrade.body).toContain("/holdfast")
  })

  test("takes WebSockets at its path with a query and with a slash at the end", async () => {
    const { url } = await startTestHub()
    expect((await get(`${url}/?x=1`, handshake)).status).toBe(101)
  })

  test("can have another path", async () => {
    const hub = createTestHub()
    const { url } = await hub.listen({ port: 0, path: "/live/" })
    expect(url).toMatch(/\/live$/)
    expect((await get(url, handshake)).status).toBe(101)
    expect((await get(url.replace("/live", "/holdfast"), handshake)).status).toBe(404)
  })

  test("is one that fails to listen on a port that is taken", async () => {
    const { hub, port } = await startTestHub()
    await expect(hub.listen({ port })).rejects.toMatchObject({ code: "EADDRINUSE" })
  })

  test("does not listen after it was closed", async () => {
    const { hub } = await startTestHub()
    await hub.close()
    await expect(hub.listen({ port: 0 })).rejects.toMatchObject({ code: "closed" })
  })
})

describe("subprotocols", () => {
  test.each(["json", "msgpack"] as const)("%s is spoken when it is offered", async (codec) => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url, { codec })
    expect(client.webSocket.protocol).toBe(`holdfast.v1.${codec}`)
  })

  test("the first of the client's that the server knows is chosen", async () => {
    const { url } = await startTestHub()
    const offer = {
      ...handshake,
      "Sec-WebSocket-Protocol": "holdfast.v9.json, holdfast.v1.msgpack,holdfast.v1.json",
    }
    expect((await get(url, offer)).headers["sec-websocket-protocol"]).toBe("holdfast.v1.msgpack")
  })

  test("none in common is refused, with those that are supported", async () => {
    const { url } = await startTestHub()
    for (const offered of ["soap", ""]) {
      const { status, body } = await get(url, { ...handshake, "Sec-WebSocket-Protocol": offered })
      expect(status).toBe(400)
      expect(body).toContain("holdfast.v1.json, holdfast.v1.msgpack")
    }
  })
})

describe("the origin of a page", () => {
  test("may be the same host, and must not be another", async () => {
    const { url, port } = await startTestHub()
    const same = await get(url, { ...handshake, Origin: `http://127.0.0.1:${port}` })
    expect(same.status).toBe(101)
    const other = await get(url, { ...handshake, Origin: "https://evil.example" })
    expect(other.status).toBe(403)
    expect(other.body).toContain('"https://evil.example"')
    expect(other.body).toContain("origins")
  })

  test("may be what the option says", async () => {
    const { url } = await startTestHub({ origins: ["https://app.example"] })
    expect((await get(url, { ...handshake, Origin: "https://app.example" })).status).toBe(101)
    expect((await get(url, { ...handshake, Origin: "https://evil.example" })).status).toBe(403)
  })
})

describe("beside an existing server", () => {
  test("a hub takes its path and leaves all requests to the app", async () => {
    const { server, base } = await appServer()
    createTestHub().attach(server)
    await WireClient.greet(`${base}/holdfast`)
    expect((await get(base)).body).toBe("the app")
    expect((await get(`${base}/other`, handshake)).status).toBe(404)
  })

  test("other upgrades are left to whoever listens for them, before or after", async () => {
    const { server, base } = await appServer()
    const { WebSocketServer } = await import("ws")
    const theirs = new WebSocketServer({ noServer: true })
    createTestHub().attach(server)
    server.on("upgrade", (request, socket, head) => {
      if (request.url !== "/theirs") return
      theirs.handleUpgrade(request, socket, head, (webSocket) => webSocket.send("theirs"))
    })
    const webSocket = new WebSocket(`${base}/theirs`)
    const text = await new Promise((resolve) => webSocket.on("message", (data) => resolve(String(data))))
    expect(text).toBe("theirs")
    webSocket.terminate()
    await WireClient.greet(`${base}/holdfast`)
  })

  test("two hubs share a server at two paths, and not at one", async () => {
    const { server, base } = await appServer()
    const [one, two] = [createTestHub(), createTestHub()]
    one.attach(server, { path: "/one" })
    two.attach(server, { path: "/two" })
    await WireClient.greet(`${base}/one`)
    await WireClient.greet(`${base}/two`)
    expect((await get(`${base}/three`, handshake)).body).toContain("/one, /two")
    expect(() => two.attach(server, { path: "/one" })).toThrow("/one")
  })

  test("a hub that is closed leaves the server as it was", async () => {
    const { server, base } = await appServer()
    const hub = createTestHub()
    hub.attach(server)
    await hub.close()
    expect(server.listenerCount("upgrade")).toBe(0)
    expect((await get(base)).body).toBe("the app")
  })

  test("what is no server, such as an app of Express, is refused", async () => {
    const { default: express } = await import("express")
    const notServer = express() as unknown as Parameters<ReturnType<typeof createTestHub>["attach"]>[0]
    expect(() => createTestHub().attach(notServer)).toThrow("listen()")
  })

  test("a path has to begin with a slash", async () => {
    const { server } = await appServer()
    expect(() => createTestHub().attach(server, { path: "live" })).toThrow(TypeError)
    expect(() => createTestHub().attach(server, { path: "/live?x" })).toThrow(TypeError)
  })
})
