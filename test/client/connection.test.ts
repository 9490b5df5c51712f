import { describe, expect, test } from "vitest"
import { Connection, type ConnectionOptions } from "../../src/client/connection.ts"
import type { Welcome } from "../../src/protocol/message.ts"

const welcome: Welcome = {
  type: "welcome",
  connection: "c",
  member: "m",
  heartbeatMs: 1_000,
  messageBytesMax: 1_000,
  now: 5_000_000,
}

function machine(options: Partial<ConnectionOptions> = {}) {
  const connection = new Connection({
    backoff: { minMs: 100, maxMs: 1_000 },
    connectTimeoutMs: 10_000,
    hasToken: false,
    // the most that is ever waited
    random: () => 1,
    ...options,
  })
  const actions = () => connection.takeActions().map((action) => action.type)
  return { connection, actions }
}

function opened(options: Partial<ConnectionOptions> = {}, nowMs = 0, more: Partial<Welcome> = {}) {
  const { connection, actions } = machine(options)
  connection.connect(nowMs)
  if (options.hasToken) connection.handleToken("t", nowMs)
  connection.handleLineOpen()
  connection.handleMessage({ ...welcome, ...more }, nowMs)
  actions()
  return { connection, actions }
}

describe("connecting", () => {
  test("opens a line, says hello, and is open with the welcome", () => {
    const { connection, actions } = machine()
    connection.connect(0)
    expect(actions()).toEqual(["openLine"])
    expect(connection.status).toBe("connecting")
    connection.handleLineOpen()
    expect(connection.takeActions()).toEqual([{ type: "hello", token: undefined }])
    connection.handleMessage(welcome, 0)
    expect(connection.status).toBe("open")
  })

  test("fetches the token first, and shows it", () => {
    const { connection, actions } = machine({ hasToken: true })
    connection.connect(0)
    expect(actions()).toEqual(["fetchToken"])
    connection.handleToken("t", 5)
    expect(actions()).toEqual(["openLine"])
    connection.handleLineOpen()
    expect(connection.takeActions()).toEqual([{ type: "hello", token: "t" }])
  })

  test("reports a token function that fails, and tries again later", () => {
    const { connection, actions } = machine({ hasToken: true })
    connection.connect(0)
    actions()
    connection.handleTokenError(new Error("offline"), 5)
    expect(connection.takeActions()).toEqual([{ type: "report", error: new Error("offline") }])
    expect(connection.status).toBe("waiting")
    expect(connection.nextTimeoutMs()).toBe(105)
    connection.handleTimeout(105)
    expect(actions()).toEqual(["fetchToken"])
  })

  test("gives an attempt up that takes too long, whatever it waits for", () => {
    const { connection, actions } = machine({ hasToken: true })
    connection.connect(0)
    actions()
    connection.handleTimeout(10_000)
    expect(actions()).toEqual(["report"])
    expect(connection.status).toBe("waiting")
    // a token that comes after all is too late for that attempt
    connection.handleToken("t", 10_001)
    expect(actions()).toEqual([])

    connection.handleTimeout(10_100)
    connection.handleToken("t", 10_100)
    actions()
    connection.handleTimeout(20_100)
    expect(actions()).toEqual(["report", "closeLine"])
  })
})

describe("backing off", () => {
  test("doubles the pause with every failure, up to the most", () => {
    const { connection } = machine()
    const pauses: number[] = []
    connection.connect(0)
    for (let nowMs = 0; pauses.length < 6; ) {
      connection.handleLineClose(1006, "", nowMs)
      pauses.push(connection.nextTimeoutMs() - nowMs)
      nowMs = connection.nextTimeoutMs()
      connection.handleTimeout(nowMs)
    }
    expect(pauses).toEqual([100, 200, 400, 800, 1_000, 1_000])
  })

  test("takes any part of the pause, by chance", () => {
    const { connection } = machine({ random: () => 0.25 })
    connection.connect(0)
    connection.handleLineClose(1006, "", 0)
    expect(connection.nextTimeoutMs()).toBe(25)
  })

  test("starts small again after a connection that held, not after one that fell at once", () => {
    const { connection } = opened()
    connection.handleLineClose(1006, "", 4_999)
    expect(connection.nextTimeoutMs()).toBe(4_999 + 100)
    connection.handleTimeout(5_099)
    connection.handleMessage(welcome, 5_100)
    connection.handleLineClose(1006, "", 5_200)
    expect(connection.nextTimeoutMs()).toBe(5_200 + 200)
    connection.handleTimeout(5_400)
    connection.handleMessage(welcome, 5_400)
    connection.handleLineClose(1006, "", 60_000)
    expect(connection.nextTimeoutMs()).toBe(60_000 + 100)
  })

  test("adds what the server asked for when it went away", () => {
    const { connection } = opened()
    connection.handleMessage({ type: "goaway", reason: "deploy", reconnect: true, afterMs: 3_000 }, 0)
    connection.handleLineClose(1001, "deploy", 10)
    expect(connection.status).toBe("waiting")
    expect(connection.nextTimeoutMs()).toBe(10 + 3_000 + 100)
  })
})

describe("a line", () => {
  test("is dead when nothing was heard for two heartbeats", () => {
    const { connection, actions } = opened()
    expect(connection.nextTimeoutMs()).toBe(2_000)
    connection.handleMessage({ type: "ping" }, 1_500)
    expect(connection.takeActions()).toEqual([{ type: "send", message: { type: "pong" } }])
    connection.handleTimeout(2_000)
    expect(actions()).toEqual([])
    connection.handleTimeout(3_500)
    expect(connection.takeActions()).toEqual([{ type: "closeLine", code: 4408, reason: "" }])
    expect(connection.status).toBe("waiting")
  })

  test.each([1000, 1007, 1009, 4400, 4403])("that is closed with %i ends it for good", (code) => {
    const { connection, actions } = opened()
    connection.handleLineClose(code, "why", 0)
    expect(connection.status).toBe("closed")
    expect(connection.error).toMatchObject({ code: "closed", message: expect.stringContaining("why") })
    expect(connection.nextTimeoutMs()).toBe(Number.POSITIVE_INFINITY)
    connection.reconnect(1)
    expect(actions()).toEqual([])
  })

  test.each([1001, 1005, 1006, 1011, 4401, 4408])("that is closed with %i comes back", (code) => {
    const { connection } = opened()
    connection.handleLineClose(code, "", 0)
    expect(connection.status).toBe("waiting")
  })

  test("that the server ends after saying so does not come back", () => {
    const { connection } = opened()
    connection.handleMessage({ type: "goaway", reason: "banned", reconnect: false, afterMs: 0 }, 0)
    connection.handleLineClose(1001, "", 0)
    expect(connection.status).toBe("closed")
  })

  test("over which nonsense comes is closed, and another is tried", () => {
    const { connection, actions } = opened()
    connection.handleLineError(new Error("no JSON"), 0)
    expect(actions()).toEqual(["report", "closeLine"])
    expect(connection.status).toBe("waiting")
  })

  test("is dropped and opened again at once on demand, with a fresh token", () => {
    const { connection, actions } = opened({ hasToken: true })
    connection.reconnect(10)
    expect(actions()).toEqual(["closeLine", "fetchToken"])
    expect(connection.status).toBe("connecting")
  })

  test("that fails before the welcome is reported, unless the server has said why", () => {
    const { connection, actions } = machine()
    connection.connect(0)
    actions()
    connection.handleLineClose(1006, "", 0)
    expect(connection.takeActions()).toMatchObject([{ type: "report", error: { code: "connection_lost" } }])
    connection.handleTimeout(100)
    actions()
    connection.handleMessage({ type: "error", code: "unauthorized", message: "no" }, 100)
    connection.handleLineClose(4401, "", 100)
    expect(actions()).toEqual([])
  })
})

describe("a token", () => {
  const hasToken = true

  test("is kept for the next line, as long as it is good", () => {
    const { connection, actions } = opened({ hasToken })
    connection.handleLineClose(1006, "", 0)
    connection.handleTimeout(100)
    expect(actions()).toEqual(["openLine"])
  })

  test("that was refused is replaced", () => {
    const { connection, actions } = opened({ hasToken })
    connection.handleLineClose(4401, "token_expired", 0)
    expect(connection.takeActions()).toMatchObject([{ type: "report", error: { code: "unauthorized" } }])
    connection.handleTimeout(100)
    expect(actions()).toEqual(["fetchToken"])
  })

  test("is renewed half a minute before it expires, by the server's clock", () => {
    const { connection, actions } = opened({ hasToken }, 0, { expiresAt: welcome.now + 3_600_000 })
    connection.handleMessage({ type: "ping" }, 3_569_000)
    actions()
    expect(connection.nextTimeoutMs()).toBe(3_570_000)
    connection.handleTimeout(3_570_000)
    expect(actions()).toEqual(["fetchToken"])
    connection.handleToken("t2", 3_570_010)
    expect(connection.takeActions()).toEqual([{ type: "send", message: { type: "token", token: "t2" } }])
  })

  test("of a short life is renewed when a fifth of it is left, and then again", () => {
    const heartbeatMs = 100_000
    const { connection, actions } = opened({ hasToken }, 0, { heartbeatMs, expiresAt: welcome.now + 10_000 })
    expect(connection.nextTimeoutMs()).toBe(8_000)
    connection.handleTimeout(8_000)
    connection.handleToken("t2", 8_100)
    actions()
    expect(connection.nextTimeoutMs()).toBe(8_100 + 8_000)
  })

  test("that cannot be renewed is tried again, and the line stays", () => {
    const heartbeatMs = 100_000
    const { connection, actions } = opened({ hasToken }, 0, { heartbeatMs, expiresAt: welcome.now + 10_000 })
    connection.handleTimeout(8_000)
    connection.handleTokenError(new Error("offline"), 8_000)
    expect(connection.status).toBe("open")
    actions()
    connection.handleTimeout(8_100)
    expect(actions()).toEqual(["fetchToken"])
  })

  test("that expires at once does not make it busy", () => {
    const { connection } = opened({ hasToken }, 0, { expiresAt: welcome.now - 50 })
    expect(connection.nextTimeoutMs()).toBe(1_000)
  })
})

test("a connection that was closed stays closed", () => {
  const { connection, actions } = opened()
  connection.close()
  expect(connection.takeActions()).toEqual([{ type: "closeLine", code: 1000, reason: "" }])
  expect(connection.status).toBe("closed")
  expect(connection.error).toBeUndefined()
  connection.close()
  connection.handleTimeout(1e9)
  expect(actions()).toEqual([])
})
