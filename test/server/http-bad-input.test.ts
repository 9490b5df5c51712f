import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { HoldfastError } from "holdfast/server"
import { describe, expect, onTestFinished, test } from "vitest"
import { bare } from "./support/http.ts"
import { createTestHub, recordingLogger, startTestHub } from "./support/hubs.ts"
import { newSession, openEvents, post } from "./support/plain-http.ts"

const lobby = { channel: "room/lobby" }

async function start(options: Parameters<typeof startTestHub>[0] = {}) {
  const { url, ...rest } = await startTestHub(options)
  return { ...rest, base: url.replace(/^ws/, "http") }
}

async function get(url: string, init: RequestInit = {}) {
  const response = await fetch(url, init)
  const text = await response.text()
  return { status: response.status, headers: response.headers, problem: text === "" ? {} : JSON.parse(text) }
}

const poll = (more: object) => ({ session: newSession(), subscriptions: [lobby], waitMs: 0, ...more })
const position = (offset: unknown, epoch: unknown = "e") => ({
  subscriptions: [{ ...lobby, position: { epoch, offset } }],
})
const signal = { type: "signal", channel: "room/lobby", name: "typing", data: {} }
const call = { type: "call", id: 1, channel: "room/lobby", name: "double", data: 1, timeoutMs: 100 }

describe("a request that is wrong is refused with a problem that says what and where:", () => {
  test.each([
    ["no channel", "", "channel"],
    ["a position that is none", "?channel=room/a&position=12", "position.0"],
    ["an offset beyond what is safe", "?channel=room/a&position=e:9999999999999999", "position.0"],
    ["an escape that stands for nothing", "?channel=room/a&position=%25E0%25A4:1", "position.0"],
    ["more positions than channels", "?channel=room/a&position=e:1&position=e:2", "position"],
    ["a history that is none", "?channel=room/a&history=some", "history"],
    ["a history of nothing", "?channel=room/a&history=0", "subscriptions.0.history.last"],
    ["a channel without a name", "?channel=", "subscriptions.0.channel"],
    ["a channel twice", "?channel=room/a&channel=room/a", "subscriptions.1.channel"],
    ["a session, which is a secret", `?channel=room/a&session=${newSession()}`, "session"],
  ])("a stream with %s", async (_, query, path) => {
    const { base } = await start()
    const { status, headers, problem } = await get(`${base}/events${query}`)
    expect(status).toBe(400)
    expect(headers.get("content-type")).toBe("application/problem+json")
    expect(problem).toMatchObject({ type: "about:blank", title: "Bad Request", status: 400, path })
    expect(problem.detail).toMatch(/^\S.*\.$/)
  })

  test.each([
    ["of no stream", "hello"],
    ["that is very long", "e:".padEnd(5_000, "1")],
    ["of an offset below nothing", "e:-1"],
    ["without an epoch", ":4"],
  ])("a Last-Event-ID %s", async (_, lastEventId) => {
    const { base } = await start()
    const headers = { "Last-Event-ID": lastEventId }
    const { status, problem } = await get(`${base}/events?channel=room/a`, { headers })
    expect([status, problem.path]).toEqual([400, "Last-Event-ID"])
    expect(problem.detail.length).toBeLessThan(200)
  })

  test("a Last-Event-ID for several channels", async () => {
    const { base } = await start()
    const headers = { "Last-Event-ID": "e:1" }
    const { status, problem } = await get(`${base}/events?channel=room/a&channel=room/b`, { headers })
    expect([status, problem.path]).toEqual([400, "Last-Event-ID"])
    expect(problem.detail).toContain('"position"')
  })

  test.each([
    ["no JSON", "poll", "{", undefined],
    ["nothing", "poll", "", undefined],
    ["an array", "poll", "[]", undefined],
    ["no session", "poll", { subscriptions: [lobby] }, "session"],
    ["no subscriptions", "poll", { session: newSession() }, "subscriptions"],
    ["an offset that is no number", "poll", poll(position("4")), "subscriptions.0.position.offset"],
    ["an offset below nothing", "poll", poll(position(-4)), "subscriptions.0.position.offset"],
    [
      "an epoch that is too long",
      "poll",
      poll(position(4, "e".repeat(65))),
      "subscriptions.0.position.epoch",
    ],
    ["a wait that is none", "poll", poll({ waitMs: "long" }), "waitMs"],
    ["a token that is none", "poll", poll({ token: 7 }), "token"],
    ["no messages", "send", { session: newSession() }, "messages"],
    [
      "a message of the wrong type",
      "send",
      { session: newSession(), messages: [signal, { type: "hello" }] },
      "messages.1.session",
    ],
    [
      "a message that a stream is for",
      "send",
      { session: newSession(), messages: [{ type: "subscribe", ...lobby }] },
      "messages.0.type",
    ],
    [
      "a message of an unknown type",
      "send",
      { session: newSession(), messages: [{ type: "shout" }] },
      "messages.0.type",
    ],
    ["a message that is none", "send", { session: newSession(), messages: [7] }, "messages.0"],
    ["an id twice", "send", { session: newSession(), messages: [call, call] }, "messages.1.id"],
  ])("a body with %s", async (_, address, body, path) => {
    const { base } = await start()
    const { status, problem } = await post(`${base}/${address}`, body)
    expect(problem).toMatchObject({ status: 400, code: "invalid_message" })
    expect([status, problem.path]).toEqual([400, path])
  })

  test("a body that is not said to be JSON", async () => {
    const { base } = await start()
    const { status, problem } = await post(`${base}/poll`, poll({}), { "Content-Type": "text/plain" })
    expect([status, problem.code]).toEqual([415, "unsupported_media_type"])
    expect(problem.detail).toContain('"text/plain"')
  })

  test("a body that is too large, whether it says so before or not", async () => {
    const { base } = await start({ limits: { requestBytesMax: 10_000 } })
    const body = JSON.stringify(poll({ more: "x".repeat(20_000) }))
    const said = await post(`${base}/poll`, body)
    expect(said.problem).toMatchObject({ status: 413, code: "message_too_large", limit: 10_000 })
    const stream = new Blob([body]).stream()
    const headers = { "Content-Type": "application/json" }
    const init = { method: "POST", body: stream, headers, duplex: "half" } as RequestInit
    expect((await get(`${base}/poll`, init)).problem).toMatchObject({ status: 413, limit: 10_000 })
  })

  test("a body that says it is endless is not waited for", async () => {
    const { port } = await start()
    const socket = await bare(port)
    const head = ["POST /holdfast/send HTTP/1.1", "Host: x", "Content-Type: application/json"]
    socket.write(`${head.join("\r\n")}\r\nContent-Length: 999999999999\r\n\r\n`)
    let answer = ""
    for await (const chunk of socket.setEncoding("utf8")) answer += chunk
    expect(answer).toMatch(/^HTTP\/1.1 413 /)
    expect(answer).toMatch(/Connection: close/i)
  })

  test.each(["poll", "events"])("too many channels, at %s", async (address) => {
    const { base } = await start({ limits: { channelsPerRequestMax: 2 } })
    const subscriptions = ["a", "b", "c"].map((room) => ({ channel: `room/${room}` }))
    const { status, problem } = await post(`${base}/${address}`, poll({ subscriptions }))
    expect([status, problem.code, problem.limit]).toEqual([400, "too_many_subscriptions", 2])
  })

  test("too many messages", async () => {
    const { base } = await start({ limits: { messagesPerRequestMax: 2 } })
    const { status, problem } = await post(`${base}/send`, {
      session: newSession(),
      messages: [signal, signal, signal],
    })
    expect([status, problem.path, problem.limit]).toEqual([400, "messages", 2])
  })

  test.each([
    ["DELETE", "events", "GET, POST, OPTIONS"],
    ["GET", "poll", "POST, OPTIONS"],
    ["PUT", "send", "POST, OPTIONS"],
  ])("%s at %s", async (method, address, allow) => {
    const { base } = await start()
    const { status, headers, problem } = await get(`${base}/${address}`, { method })
    expect([status, problem.code, headers.get("allow")]).toEqual([405, "method_not_allowed", allow])
  })
})

describe("who may not", () => {
  const authenticate = ({ token }: { token: string | undefined }) => {
    if (token === "broken") throw new Error("a secret of the server")
    if (token !== "good") throw new HoldfastError("unauthorized", "Log in first.")
  }

  test("is told 401, at every address", async () => {
    const { base } = await start({ authenticate } as never)
    const answers = [
      await get(`${base}/events?channel=room/lobby`),
      await post(`${base}/poll`, poll({ token: "bad" })),
      await post(`${base}/send`, { session: newSession(), messages: [signal] }),
    ]
    for (const { status, headers, problem } of answers) {
      expect([status, headers.get("www-authenticate")]).toEqual([401, "Bearer"])
      expect(problem).toMatchObject({ title: "Unauthorized", code: "unauthorized", detail: "Log in first." })
    }
    const { problem } = await post(`${base}/poll`, poll({ token: "broken" }))
    expect(problem).toMatchObject({ status: 401 })
    expect(JSON.stringify(problem)).not.toContain("secret")
  })

  test("is let in by a token in the header, the address or the body", async () => {
    const { base } = await start({ authenticate } as never)
    const headers = { Authorization: "Bearer good" }
    expect((await openEvents(`${base}/events?channel=room/lobby`, headers)).status).toBe(200)
    expect((await openEvents(`${base}/events?channel=room/lobby&token=good`)).status).toBe(200)
    expect((await post(`${base}/poll`, poll({ token: "good" }))).status).toBe(200)
    expect((await post(`${base}/poll`, poll({}), headers)).status).toBe(200)
  })

  test("subscribe is told so with a status when there is nothing else to tell", async () => {
    const { base } = await start({
      channels: { "room/:room": { subscribe: ({ params }) => params.room === "a" } },
    })
    expect(await get(`${base}/events?channel=room/b`)).toMatchObject({
      status: 403,
      problem: { code: "not_allowed" },
    })
    expect(await get(`${base}/events?channel=nowhere`)).toMatchObject({
      status: 404,
      problem: { code: "unknown_channel" },
    })
    const stream = await openEvents(`${base}/events?channel=room/b&channel=room/a`)
    expect(stream.status).toBe(200)
    expect((await stream.next("unsubscribed"))?.message).toMatchObject({
      channel: "room/b",
      code: "not_allowed",
    })
  })

  test("come because there are too many is told 503, and when to come back", async () => {
    const { base } = await start({ limits: { connectionsMax: 1 } })
    const stream = await openEvents(`${base}/events?channel=room/lobby`)
    await stream.next("subscribed")
    const { status, headers, problem } = await get(`${base}/events?channel=room/lobby`)
    expect([status, problem.code, headers.get("retry-after")]).toEqual([503, "too_many_connections", "1"])
  })
})

describe("a page of another origin", () => {
  const from = (origin: string) => ({ headers: { Origin: origin } })

  test("is refused unless the server allows it", async () => {
    const { base } = await start()
    const { status, headers, problem } = await get(
      `${base}/events?channel=room/a`,
      from("https://evil.example"),
    )
    expect([status, problem.code]).toEqual([403, "not_allowed"])
    expect(problem.detail).toContain("https://evil.example")
    expect(headers.get("access-control-allow-origin")).toBeNull()
    const preflight = await get(`${base}/send`, { method: "OPTIONS", ...from("https://evil.example") })
    expect(preflight.status).toBe(403)
  })

  test("that is allowed is told so by its name, before it sends and after", async () => {
    const origin = "https://app.example.com"
    const { base } = await start({ origins: [origin] })
    const preflight = await get(`${base}/send`, { method: "OPTIONS", ...from(origin) })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get("access-control-allow-methods")).toBe("POST, OPTIONS")
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/Authorization.*Content-Type/)
    const body = poll({ subscriptions: [] })
    for (const { headers } of [preflight, await post(`${base}/poll`, body, { Origin: origin })]) {
      expect(headers.get("access-control-allow-origin")).toBe(origin)
      expect(headers.get("access-control-allow-credentials")).toBe("true")
      expect(headers.get("vary")).toBe("Origin")
    }
  })

  test("comes without cookies where every page may come", async () => {
    const { base } = await start({ origins: "any" })
    const { headers } = await post(`${base}/poll`, poll({}), { Origin: "https://any.example" })
    expect(headers.get("access-control-allow-origin")).toBe("https://any.example")
    expect(headers.get("access-control-allow-credentials")).toBeNull()
  })
})

describe("beside an app", () => {
  test("the hub answers what is its own, and leaves everything else alone", async () => {
    const hub = createTestHub()
    const server = createServer((request, response) => {
      if (!hub.handle(request, response)) response.end("the app")
    })
    server.listen(0, "127.0.0.1")
    onTestFinished(() => void server.close().closeAllConnections())
    await once(server, "listening")
    hub.attach(server)
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    for (const path of ["/", "/holdfast", "/holdfast/other", "/events"]) {
      expect(await (await fetch(base + path)).text()).toBe("the app")
    }
    expect((await post(`${base}/holdfast/poll`, poll({}))).status).toBe(200)
    const stream = await openEvents(`${base}/holdfast/events?channel=room/lobby`)
    await stream.next("subscribed")
    await hub.close()
    expect((await post(`${base}/holdfast/poll`, poll({}))).problem).toMatchObject({
      status: 503,
      code: "closed",
    })
  })

  test("a body that was read before is told to the operator", async () => {
    const logger = recordingLogger()
    const hub = createTestHub({ logger })
    const server = createServer(async (request, response) => {
      for await (const _ of request.iterator({ destroyOnReturn: false }));
      hub.handle(request, response)
    })
    server.listen(0, "127.0.0.1")
    onTestFinished(() => void server.close().closeAllConnections())
    await once(server, "listening")
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect((await post(`${base}/holdfast/poll`, poll({}))).status).toBe(500)
    expect(`${logger.lines[0]?.fields.error}`).toContain("before body parsers")
  })
})
