import { type Client, connect, type LineEvents } from "holdfast/client"
import { expect, test } from "vitest"
import type { Codec } from "../../src/protocol/codec.ts"
import { json } from "../../src/protocol/json.ts"
import type { ClientMessage, ServerMessage } from "../../src/protocol/message.ts"
import { ductWithin, hostLine, tabLine } from "../../src/tabs/duct.ts"
import { Exchange } from "../../src/tabs/exchange.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { welcome } from "../client/fake-line.ts"
import { type app, tabs } from "./rig.ts"

type Tab = Client<typeof app>

const lobby = (client: Tab, history?: number) =>
  client.channel("room/:room", { room: "lobby" }, history === undefined ? {} : { history: { last: history } })

/** What a tab hears of the lobby's events. */
function listen(client: Tab, history?: number) {
  const heard: number[] = []
  lobby(client, history).on("said", (data) => heard.push(data))
  return heard
}

/** What passes on the one line, by type. */
function watch(rig: ReturnType<typeof tabs>) {
  const up: ClientMessage[] = []
  const down: ServerMessage[] = []
  rig.network.onMessage(({ direction, message }) => {
    if (direction === "up") up.push(message)
    else down.push(message)
  })
  const ups = (type: string) => up.filter((message) => message.type === type)
  return { ups, down }
}

test("tabs share one line, one hello and one subscription", async () => {
  const rig = tabs()
  const { ups } = watch(rig)
  const all = [rig.tab(), rig.tab(), rig.tab()].map(({ client }) => client)
  const heard = all.map((client) => listen(client))
  await rig.clock.advance(100)
  await rig.hub.channel("room/:room", { room: "lobby" }).publish("said", 1)
  await rig.clock.advance(100)
  expect(heard).toEqual([[1], [1], [1]])
  expect(rig.lines()).toHaveLength(1)
  expect(ups("hello")).toHaveLength(1)
  expect(new Set(all.map(({ member }) => member)).size).toBe(1)
})

test("a tab that comes later gets its own history and snapshot, and the others nothing twice", async () => {
  const rig = tabs()
  const room = rig.hub.channel("room/:room", { room: "lobby" })
  await room.set("price", "AAPL", 5)
  for (let n = 1; n <= 5; n++) await room.publish("said", n)
  const first = rig.tab().client
  const heard = listen(first, 2)
  await rig.clock.advance(100)
  const second = rig.tab().client
  const late = listen(second, 4)
  await rig.clock.advance(100)
  await room.publish("said", 6)
  await rig.clock.advance(100)
  expect(heard).toEqual([4, 5, 6])
  expect(late).toEqual([2, 3, 4, 5, 6])
  expect(lobby(first).stats).toMatchObject({ duplicates: 0, gaps: 0 })
  expect(lobby(second).stats).toMatchObject({ duplicates: 0, gaps: 0 })
  expect([first, second].map((client) => lobby(client).state("price").get("AAPL"))).toEqual([5, 5])
})

test("what is published while a tab is let in misses nobody", async () => {
  const rig = tabs()
  rig.network.conditions.latencyMs = () => 20
  const room = rig.hub.channel("room/:room", { room: "lobby" })
  const heard = [listen(rig.tab().client)]
  await rig.clock.advance(200)
  for (let n = 1; n <= 60; n++) {
    await room.publish("said", n)
    if (n % 10 === 5 && n < 40) heard.push(listen(rig.tab().client))
    await rig.clock.advance(3)
  }
  await rig.clock.advance(1_000)
  const all = Array.from({ length: 60 }, (_, index) => index + 1)
  for (const list of heard) expect(list).toEqual(all.slice(all.indexOf(list[0]!)))
  expect(heard[0]).toEqual(all)
  expect(heard.every((list) => list.length > 0)).toBe(true)
})

test("publishes, calls and states of all tabs are answered to whom they belong", async () => {
  const rig = tabs()
  const [ada, bob] = [rig.tab().client, rig.tab().client]
  const heard = listen(bob)
  const answers = Promise.all([
    lobby(ada).publish("said", 1),
    lobby(bob).call("double", 21),
    lobby(ada).call("double", 4),
    lobby(bob).state("price").set("AAPL", 7),
  ])
  const [position, ...rest] = await rig.clock.run(answers)
  expect(position.offset).toBe(1)
  expect(rest.slice(0, 2)).toEqual([42, 8])
  await rig.clock.advance(100)
  expect(heard).toEqual([1])
  await expect(rig.clock.run(lobby(ada).publish("said", "x" as never))).rejects.toMatchObject({
    code: "invalid_payload",
  })
})

test("tabs are one member: it stays as long as one of them is in, and its own signals are no news", async () => {
  const rig = tabs()
  const [ada, bob] = [rig.tab().client, rig.tab().client]
  const other = rig.connect()
  const members = () => [...lobby(other).presence.members.values()]
  members()
  const signals: string[] = []
  for (const client of [ada, bob, other])
    lobby(client).onSignal("typing", () => signals.push(client === other ? "other" : "tab"))
  await rig.clock.run(lobby(ada).presence.enter("first"))
  await rig.clock.run(lobby(bob).presence.enter("second"))
  await rig.clock.advance(100)
  expect(members()).toEqual(["second"])
  await rig.clock.run(lobby(bob).presence.leave())
  await rig.clock.advance(100)
  expect(members()).toEqual(["first"])
  lobby(ada).signal("typing", null)
  await rig.clock.advance(100)
  expect(signals).toEqual(["other"])
  await rig.clock.run(lobby(ada).presence.leave())
  await rig.clock.advance(100)
  expect(members()).toEqual([])
})

test("a tab that closes leaves at once, one that is cut after a while, and the channel goes with its last tab", async () => {
  const rig = tabs()
  const { ups } = watch(rig)
  const [ada, bob, eve] = [rig.tab(), rig.tab(), rig.tab()]
  listen(ada.client)
  listen(bob.client)
  listen(eve.client)
  await rig.clock.run(lobby(ada.client).presence.enter("Ada"))
  ada.client.close()
  await rig.clock.advance(100)
  expect(ups("leave")).toHaveLength(1)
  await rig.clock.run(lobby(bob.client).presence.enter("Bob"))
  bob.kill()
  await rig.clock.advance(100)
  expect(ups("leave")).toHaveLength(1)
  await rig.clock.advance(10_000)
  expect(ups("leave")).toHaveLength(2)
  expect(ups("unsubscribe")).toHaveLength(0)
  lobby(eve.client).close()
  await rig.clock.advance(100)
  expect(ups("unsubscribe")).toHaveLength(1)
  eve.client.close()
  await rig.clock.advance(2_000)
  expect(rig.lines()).toHaveLength(0)
})

test("a refusal is told to every tab that asked, and to nobody else", async () => {
  const rig = tabs()
  const codes: string[] = []
  for (const name of ["ada", "bob"]) {
    const secret = rig.tab().client.channel("secret/:name", { name: "one" })
    secret.onError(({ code }) => codes.push(`${name} ${code}`))
    secret.subscribe()
  }
  const heard = listen(rig.tab().client)
  await rig.clock.advance(100)
  await rig.hub.channel("room/:room", { room: "lobby" }).publish("said", 1)
  await rig.clock.advance(100)
  expect(codes.toSorted()).toEqual(["ada not_allowed", "bob not_allowed"])
  expect(heard).toEqual([1])
})

test("another tab takes the connection over, as the same member, and nothing is lost or doubled", async () => {
  const rig = tabs()
  const [ada, bob] = [rig.tab().client, rig.tab().client]
  const heard = [listen(ada), listen(bob)]
  await rig.clock.advance(100)
  const { member } = ada
  const room = rig.hub.channel("room/:room", { room: "lobby" })
  await room.publish("said", 1)
  await rig.clock.advance(100)
  const published = lobby(ada).publish("said", 2)
  rig.handOver()
  await room.publish("said", 3)
  await rig.clock.run(published)
  await rig.clock.advance(1_000)
  expect(heard.map((list) => list.toSorted())).toEqual([
    [1, 2, 3],
    [1, 2, 3],
  ])
  expect(heard[0]).toEqual(heard[1])
  expect([ada.member, bob.member]).toEqual([member, member])
  expect(rig.lines()).toHaveLength(1)
})

test("each tab's token serves; a fresh one of any tab renews all, and a refused one is its own tab's affair", async () => {
  const tokens: (string | undefined)[] = []
  const rig = tabs({
    authenticate: ({ token }) => {
      tokens.push(token)
      if (token === "bad") throw new Error("no")
      return { id: "ada", expiresAt: rig.clock.now() + 60_000 }
    },
  })
  const codes: unknown[] = []
  const bad = rig.tab({ token: () => "bad", backoff: { minMs: 60_000, maxMs: 60_000 } }).client
  bad.on("error", (error) => codes.push((error as { code: string }).code))
  const good = [rig.tab({ token: () => "good 1" }).client, rig.tab({ token: () => "good 2" }).client]
  for (const client of good) client.on("error", () => {})
  await rig.clock.advance(2_000)
  expect(codes[0]).toBe("unauthorized")
  expect(good.map(({ status }) => status)).toEqual(["open", "open"])
  const [line] = rig.lines()
  await rig.clock.advance(200_000)
  expect(rig.lines()[0]).toBe(line)
  expect(tokens.filter((token) => token?.startsWith("good")).length).toBeLessThan(12)
})

test("a server that goes away is left by all tabs for one new line, before the old one ends", async () => {
  const rig = tabs()
  const [ada, bob] = [rig.tab().client, rig.tab().client]
  const heard = [listen(ada), listen(bob)]
  await rig.clock.advance(100)
  rig.hub.disconnectAll({ reason: "deploy", reconnect: true, spreadMs: 1_000 })
  await rig.hub.channel("room/:room", { room: "lobby" }).publish("said", 1)
  await rig.clock.advance(30_000)
  await rig.hub.channel("room/:room", { room: "lobby" }).publish("said", 2)
  await rig.clock.advance(100)
  expect(heard).toEqual([
    [1, 2],
    [1, 2],
  ])
  expect(rig.lines()).toHaveLength(1)
})

test("a server that ends it for good ends it for all tabs", async () => {
  const rig = tabs()
  const all = [rig.tab().client, rig.tab().client]
  await rig.clock.advance(100)
  for (const connection of rig.hub.connections()) connection.close("banned")
  await rig.clock.advance(100)
  expect(all.map(({ status }) => status)).toEqual(["closed", "closed"])
})

test("a line on which nothing comes any more is given up", async () => {
  const rig = tabs()
  const [ada, bob] = [rig.tab().client, rig.tab().client]
  const heard = [listen(ada), listen(bob)]
  await rig.clock.advance(100)
  for (const line of rig.lines()) line.blackHole()
  await rig.hub.channel("room/:room", { room: "lobby" }).publish("said", 1)
  await rig.clock.advance(120_000)
  expect(heard).toEqual([[1], [1]])
})

test("a tab that asks whether the line is still there finds out for all", async () => {
  const rig = tabs()
  let wake = () => {}
  const ada = rig.tab({
    device: ({ onChange }) => {
      wake = onChange
      return () => {}
    },
  }).client
  const bob = rig.tab().client
  const heard = [listen(ada), listen(bob)]
  await rig.clock.advance(100)
  const [line] = rig.lines()
  wake()
  await rig.clock.advance(6_000)
  expect(rig.lines()[0]).toBe(line)
  line?.blackHole()
  await rig.hub.channel("room/:room", { room: "lobby" }).publish("said", 1)
  wake()
  await rig.clock.advance(6_000)
  expect(heard).toEqual([[1], [1]])
})

test("a tab that reconnects brings its fresh token, for all, over the same line", async () => {
  const tokens: (string | undefined)[] = []
  const rig = tabs({
    authenticate: ({ token }) => {
      tokens.push(token)
      return { id: "ada" }
    },
  })
  let fetched = 0
  const token = () => `${++fetched}`
  const [ada, bob] = [rig.tab({ token }), rig.tab({ token })]
  await rig.clock.advance(100)
  const [line] = rig.lines()
  expect(tokens).toEqual(["1"])
  ada.client.reconnect()
  await rig.clock.advance(100)
  expect(tokens).toEqual(["1", "3"])
  bob.cut()
  await rig.clock.advance(1_000)
  expect(tokens).toEqual(["1", "3"])
  expect(rig.lines()[0]).toBe(line)
})

test("over a line of requests each welcome tells the tabs how long the token holds, and that the log is there", async () => {
  const clock = virtualClock()
  const ups: ClientMessage[] = []
  let server: LineEvents | undefined
  const requests = {
    open: (_: string, events: LineEvents) => {
      server = events
      const send = (wire: string | Uint8Array) => void ups.push(json.decode(wire as string) as ClientMessage)
      return { send, close: () => {}, bufferedBytes: () => 0 }
    },
  }
  const exchange = new Exchange({
    transports: [requests],
    clock,
    codec: json as Codec,
    session: undefined,
    handleSession: () => {},
  })
  const open = (url: string, events: LineEvents) => {
    const [tabEnd, hostEnd] = ductWithin(queueMicrotask)
    const mine = tabLine(tabEnd, events, () => {})
    hostLine(
      hostEnd,
      (port) => exchange.open(0, url, port),
      () => {},
    )
    return mine.line
  }
  let fetched = 0
  const client = connect("wss://example.com", { transport: { open }, clock, token: () => `${++fetched}` })
  /** The next request, whose token holds for 100 s, and what it is answered with. */
  const answer = async (...messages: ServerMessage[]) => {
    server?.onOpen(true)
    await clock.advance(0)
    const now = clock.monotonic()
    const welcomed = { ...welcome, heartbeatMs: 1_000_000, now, expiresAt: now + 100_000 }
    for (const message of [welcomed, ...messages]) server?.onMessage(json.encode(message))
    await clock.advance(0)
  }
  await clock.advance(0)
  const told: boolean[] = []
  client.on("log", (available) => told.push(available))
  await answer({ type: "log", available: false })
  await answer({ type: "log", available: false })
  expect([client.status, told]).toEqual(["open", [false]])
  await answer()
  await answer()
  expect(told).toEqual([false, true])
  for (let round = 1; round < 4; round++) {
    expect(fetched).toBe(round)
    await clock.advance(80_000)
    expect(fetched).toBe(round + 1)
    await answer()
    expect(ups.at(-1)).toMatchObject({ type: "hello", token: `${round + 1}` })
  }
  client.close()
})
