import { describe, expect, test } from "vitest"
import {
  type ConnectionOptions,
  type ConnectionPorts,
  createConnection,
} from "../../src/client/connection.ts"
import { createRoute } from "../../src/client/route.ts"
import type { ServerMessage, Welcome } from "../../src/protocol/message.ts"

const welcome: Welcome = {
  type: "welcome",
  connection: "c",
  member: "m",
  heartbeatMs: 1_000,
  messageBytesMax: 1_000,
  idempotencyWindowMs: 300_000,
  now: 5_000_000,
}

/** A connection, and what it asked for: each thing as its name and what it was asked with. */
function machine(options: Partial<ConnectionOptions> = {}, transports = 1) {
  let asked: [keyof ConnectionPorts, ...unknown[]][] = []
  let error: unknown
  const ask =
    (what: keyof ConnectionPorts) =>
    (...details: unknown[]) =>
      asked.push([what, ...details])
  const connection = createConnection(
    {
      url: "ws://server/holdfast",
      backoff: { minMs: 100, maxMs: 1_000 },
      connectTimeoutMs: 10_000,
      hasToken: false,
      // the most that is ever waited
      random: () => 1,
      route: createRoute(
        transports,
        0,
        () => 1,
        () => undefined,
      ),
      ...options,
    },
    {
      fetchToken: ask("fetchToken"),
      openLine: ask("openLine"),
      closeLine: ask("closeLine"),
      takeOver: ask("takeOver"),
      send: ask("send"),
      handleError: ask("handleError"),
      handleStatus: (_: unknown, why?: unknown) => {
        error = why
      },
    },
  )
  const take = () => {
    const taken = asked
    asked = []
    return taken
  }
  const isNext = () => connection.status !== "open"
  /** By default, what comes is of the line that has to be there: the next one, until it is let in. */
  const driven = {
    get status() {
      return connection.status
    },
    get token() {
      return connection.token
    },
    nextTimeoutMs: connection.nextTimeoutMs,
    connect: connection.connect,
    reconnect: connection.reconnect,
    nudge: connection.nudge,
    suspend: connection.suspend,
    close: connection.close,
    handleToken: connection.handleToken,
    handleTokenError: connection.handleTokenError,
    handleTimeout: connection.handleTimeout,
    handleMessage: (message: ServerMessage, nowMs: number, next = isNext()) =>
      connection.handleMessage(message, next, nowMs),
    handleLineError: (problem: unknown, nowMs: number, next = isNext()) =>
      connection.handleLineError(problem, next, nowMs),
    handleLineClose: (code: number, reason: string, nowMs: number, next = isNext()) =>
      connection.handleLineClose(code, reason, next, nowMs),
  }
  return { connection: driven, take, names: () => take().map(([what]) => what), error: () => error }
}

function opened(
  options: Partial<ConnectionOptions> = {},
  nowMs = 0,
  more: Partial<Welcome> = {},
  transports = 1,
) {
  const { connection, names, ...rest } = machine(options, transports)
  connection.connect(nowMs)
  if (options.hasToken) connection.handleToken("t", nowMs)
  connection.handleMessage({ ...welcome, ...more }, nowMs)
  names()
  return { connection, names, ...rest }
}

describe("connecting", () => {
  test("opens a line, says hello, and is open with the welcome", () => {
    const { connection, names } = machine()
    connection.connect(0)
    expect(names()).toEqual(["openLine"])
    expect(connection.status).toBe("connecting")
    connection.handleMessage(welcome, 0)
    expect(connection.status).toBe("open")
  })

  test("fetches the token first, and shows it", () => {
    const { connection, names } = machine({ hasToken: true })
    connection.connect(0)
    expect(names()).toEqual(["fetchToken"])
    connection.handleToken("t", 5)
    expect(names()).toEqual(["openLine"])
    expect(connection.token).toBe("t")
  })

  test("reports a token function that fails, and tries again later", () => {
    const { connection, names, take } = machine({ hasToken: true })
    connection.connect(0)
    names()
    connection.handleTokenError(new Error("offline"), 5)
    expect(take()).toEqual([["handleError", new Error("offline")]])
    expect(connection.status).toBe("waiting")
    expect(connection.nextTimeoutMs()).toBe(105)
    connection.handleTimeout(105)
    expect(names()).toEqual(["fetchToken"])
  })

  test("gives an attempt up that takes too long, whatever it waits for, and says what that was", () => {
    const { connection, names, take } = machine({ hasToken: true })
    const said = () => String(take().find(([name]) => name === "handleError")?.[1])
    connection.connect(0)
    names()
    connection.handleTimeout(10_000)
    expect(said()).toMatch(/: no token$/)
    expect(connection.status).toBe("waiting")
    // a token that comes after all is too late for that attempt
    connection.handleToken("t", 10_001)
    expect(names()).toEqual([])

    connection.handleTimeout(10_100)
    connection.handleToken("t", 10_100)
    names()
    connection.handleTimeout(20_100)
    expect(said()).toMatch(/: no answer$/)
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
    expect(connection.nextTimeoutMs()).toBe(3_000 + 100)
  })
})

describe("a line", () => {
  test("is dead when nothing was heard for two heartbeats", () => {
    const { connection, names, take } = opened()
    expect(connection.nextTimeoutMs()).toBe(2_000)
    connection.handleMessage({ type: "ping" }, 1_500)
    expect(take()).toEqual([["send", { type: "pong" }]])
    connection.handleTimeout(2_000)
    expect(names()).toEqual([])
    connection.handleTimeout(3_500)
    expect(take()).toEqual([["closeLine", false, 4408]])
    expect(connection.status).toBe("waiting")
  })

  test.each([1000, 1007, 1009, 4400, 4403])("that is closed with %i ends it for good", (code) => {
    const { connection, error, names } = opened()
    connection.handleLineClose(code, "why", 0)
    expect(connection.status).toBe("closed")
    expect(error()).toMatchObject({ code: "closed", message: expect.stringContaining("why") })
    expect(connection.nextTimeoutMs()).toBe(Number.POSITIVE_INFINITY)
    names()
    connection.reconnect(1)
    expect(names()).toEqual([])
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
    const { connection, names } = opened()
    connection.handleLineError(new Error("no JSON"), 0)
    expect(names()).toEqual(["closeLine", "handleError"])
    expect(connection.status).toBe("waiting")
  })

  test("is dropped and opened again at once on demand, with a fresh token", () => {
    const { connection, names } = opened({ hasToken: true })
    connection.reconnect(10)
    expect(names()).toEqual(["closeLine", "closeLine", "fetchToken"])
    expect(connection.status).toBe("connecting")
  })

  test("that fails before the welcome is reported, unless the server has said why", () => {
    const { connection, names, take } = machine()
    connection.connect(0)
    names()
    connection.handleLineClose(1006, "", 0)
    expect(take()).toMatchObject([["handleError", { code: "connection_lost" }]])
    connection.handleTimeout(100)
    names()
    connection.handleMessage({ type: "error", code: "unauthorized", message: "no" }, 100)
    connection.handleLineClose(4401, "", 100)
    expect(names()).toEqual([])
  })
})

describe("a token", () => {
  const hasToken = true

  test("is kept for the next line, as long as it is good", () => {
    const { connection, names } = opened({ hasToken })
    connection.handleLineClose(1006, "", 0)
    connection.handleTimeout(100)
    expect(names()).toEqual(["openLine"])
  })

  test("that was refused is replaced", () => {
    const { connection, names, take } = opened({ hasToken })
    connection.handleLineClose(4401, "token_expired", 0)
    expect(take()).toMatchObject([["handleError", { code: "unauthorized" }]])
    connection.handleTimeout(100)
    expect(names()).toEqual(["fetchToken"])
  })

  test("is renewed half a minute before it expires, by the server's clock", () => {
    const { connection, names, take } = opened({ hasToken }, 0, { expiresAt: welcome.now + 3_600_000 })
    connection.handleMessage({ type: "ping" }, 3_569_000)
    names()
    expect(connection.nextTimeoutMs()).toBe(3_570_000)
    connection.handleTimeout(3_570_000)
    expect(names()).toEqual(["fetchToken"])
    connection.handleToken("t2", 3_570_010)
    expect(take()).toEqual([["send", { type: "token", token: "t2" }]])
  })

  test("of a short life is renewed when a fifth of it is left, and then again", () => {
    const heartbeatMs = 100_000
    const { connection, names } = opened({ hasToken }, 0, { heartbeatMs, expiresAt: welcome.now + 10_000 })
    expect(connection.nextTimeoutMs()).toBe(8_000)
    connection.handleTimeout(8_000)
    connection.handleToken("t2", 8_100)
    names()
    connection.handleMessage(
      { type: "token", expiresAt: welcome.now + 18_100, now: welcome.now + 8_100 },
      8_150,
    )
    expect(connection.nextTimeoutMs()).toBe(8_150 + 8_000)
  })

  test("that is taken may live longer than the one before, or for ever", () => {
    const { connection, names } = opened({ hasToken }, 0, {
      heartbeatMs: 1e9,
      expiresAt: welcome.now + 10_000,
    })
    connection.handleTimeout(8_000)
    connection.handleToken("t2", 8_100)
    names()
    connection.handleMessage({ type: "token", expiresAt: 4_000_000, now: 0 }, 8_200)
    expect(connection.nextTimeoutMs()).toBe(8_200 + 3_970_000)
    connection.handleTimeout(8_200 + 3_970_000)
    connection.handleToken("t3", 4_000_000)
    connection.handleMessage({ type: "token", now: 0 }, 4_000_000)
    expect(connection.nextTimeoutMs()).toBeGreaterThan(1e9)
  })

  test("that cannot be renewed is tried again, and the line stays", () => {
    const heartbeatMs = 100_000
    const { connection, names } = opened({ hasToken }, 0, { heartbeatMs, expiresAt: welcome.now + 10_000 })
    connection.handleTimeout(8_000)
    connection.handleTokenError(new Error("offline"), 8_000)
    expect(connection.status).toBe("open")
    names()
    connection.handleTimeout(8_100)
    expect(names()).toEqual(["fetchToken"])
  })

  test("that expires at once does not make it busy", () => {
    const { connection } = opened({ hasToken }, 0, { expiresAt: welcome.now - 50 })
    expect(connection.nextTimeoutMs()).toBe(1_000)
  })
})

test("a connection that was closed stays closed", () => {
  const { connection, error, names, take } = opened()
  connection.close()
  expect(take()).toEqual([
    ["closeLine", true, 1000],
    ["closeLine", false, 1000],
  ])
  expect(connection.status).toBe("closed")
  expect(error()).toBeUndefined()
  connection.handleTimeout(1e9)
  expect(names()).toEqual([])
})

describe("with several transports", () => {
  test("tries the next when no welcome comes in time, and waits only when all have failed", () => {
    const { connection, take } = machine({}, 3)
    connection.connect(0)
    expect(take()).toEqual([["openLine", 0]])
    connection.handleTimeout(3_000)
    expect(take()).toEqual([
      ["closeLine", true, 4408],
      ["openLine", 1],
    ])
    connection.handleLineClose(1006, "", 3_100)
    expect(take()).toEqual([["openLine", 2]])
    // the last one has all the time that an attempt may take
    expect(connection.nextTimeoutMs()).toBe(13_100)
    connection.handleLineClose(1006, "", 3_200)
    expect(take()).toMatchObject([["handleError", { code: "connection_lost" }]])
    expect(connection.status).toBe("waiting")
  })

  test("tries no other when it was the server that refused", () => {
    const { connection, names } = machine({ hasToken: true }, 3)
    connection.connect(0)
    connection.handleToken("old", 0)
    names()
    connection.handleLineClose(4401, "", 10)
    expect(names()).toEqual(["handleError"])
    expect(connection.status).toBe("waiting")
  })

  test("comes back by what worked, and tries what is better beside it, which takes its place", () => {
    const heartbeatMs = 100_000
    const { connection, take, names } = machine({}, 3)
    connection.connect(0)
    connection.handleLineClose(1006, "", 0)
    connection.handleMessage({ ...welcome, heartbeatMs }, 0)
    names()
    connection.handleTimeout(30_000)
    expect(take()).toEqual([["openLine", 0]])
    connection.handleLineClose(1006, "", 30_100, true)
    expect(names()).toEqual([])
    expect(connection.status).toBe("open")
    connection.handleTimeout(connection.nextTimeoutMs())
    expect(take()).toEqual([["openLine", 0]])
    connection.handleMessage(welcome, 91_000, true)
    expect(take()).toEqual([["takeOver"]])
  })
})

describe("a goaway", () => {
  const goaway = { type: "goaway", reason: "deploy", reconnect: true, afterMs: 500 } as const

  test("is followed by another line beside the old one, which takes over with its welcome", () => {
    const { connection, take, names } = opened()
    connection.handleMessage(goaway, 100)
    connection.handleTimeout(600)
    expect(take()).toEqual([["openLine", 0]])
    connection.handleMessage({ type: "ping" }, 650, false)
    expect(names()).toEqual(["send"])
    connection.handleMessage(welcome, 700, true)
    expect(take()).toEqual([["takeOver"]])
    expect(connection.nextTimeoutMs()).toBe(2_700)
  })

  test("leaves the old line in use while the new one fails, and a new one under way when the old one ends", () => {
    const { connection, take, names } = opened()
    connection.handleMessage(goaway, 100)
    connection.handleTimeout(600)
    connection.handleLineClose(1006, "", 610, true)
    expect(connection.status).toBe("open")
    names()
    connection.handleTimeout(710)
    expect(take()).toEqual([["openLine", 0]])
    connection.handleLineClose(1001, "", 720, false)
    expect(connection.status).toBe("connecting")
    connection.handleMessage(welcome, 730, true)
    expect(connection.status).toBe("open")
  })
})

describe("when the machine has slept, or the network changed,", () => {
  test("a line has to answer within four seconds", () => {
    const { connection, take } = opened({}, 0, { heartbeatMs: 25_000 })
    connection.nudge(1_000)
    expect(take()).toEqual([["send", { type: "ping" }]])
    expect(connection.nextTimeoutMs()).toBe(5_000)
    connection.handleMessage({ type: "pong" }, 1_200)
    expect(connection.nextTimeoutMs()).toBe(51_200)
    connection.nudge(2_000)
    take()
    connection.handleTimeout(6_000)
    expect(take()).toEqual([["closeLine", false, 4408]])
    expect(connection.status).toBe("waiting")
  })

  test("nobody waits any longer for the next attempt", () => {
    const { connection, take } = machine()
    connection.connect(0)
    connection.handleLineClose(1006, "", 0)
    take()
    connection.nudge(10)
    expect(take().at(-1)).toEqual(["openLine", 0])
  })

  test("a page that is put away has no line until it is shown again", () => {
    const { connection, take } = opened()
    connection.suspend()
    expect(connection.status).toBe("waiting")
    expect(connection.nextTimeoutMs()).toBe(Number.POSITIVE_INFINITY)
    take()
    connection.nudge(1e6)
    expect(take().at(-1)).toEqual(["openLine", 0])
  })
})

test("a welcome that says the same expiry does not put the renewal off", () => {
  const heartbeatMs = 100_000
  const expiresAt = welcome.now + 40_000
  const { connection, names } = opened({ hasToken: true }, 0, { heartbeatMs, expiresAt })
  for (let ms = 400; ms < 32_000; ms += 400) {
    connection.handleMessage({ ...welcome, heartbeatMs, expiresAt, now: welcome.now + ms }, ms)
  }
  names()
  expect(connection.nextTimeoutMs()).toBe(32_000)
  connection.handleTimeout(32_000)
  expect(names()).toEqual(["fetchToken"])
})
