import { channel, contract } from "holdfast"
import { type ConnectOptions, connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { type CreateHubOptions, createHub, HoldfastError, memoryLog } from "holdfast/server"
import { afterEach, describe, expect, test, vi } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { app } from "../client/rig.ts"
import { startWebProxy, type Upgrades, type WebProxy } from "../support/web-proxy.ts"

const lobby = { room: "lobby" }
const closing: (() => unknown)[] = []
const quick = { WebSocket, backoff: { minMs: 1, maxMs: 20 } }

afterEach(async () => {
  vi.unstubAllGlobals()
  for (const close of closing.splice(0).reverse()) await close()
})

async function start({ limits = {} }: Pick<CreateHubOptions<typeof app, undefined>, "limits"> = {}) {
  const hub = createHub(app, {
    limits,
    channels: {
      "room/:room": {
        subscribe: ({ params }) => params.room !== "closed",
        events: { said: ({ data }) => data, moved: ({ data }) => data },
        state: { price: ({ data }) => data },
        presence: ({ data }) => data,
        signals: { typing: ({ data }) => data },
        calls: {
          double: ({ input }) => input * 2,
          never: () => new Promise<null>(() => undefined),
        },
      },
    },
  })
  closing.push(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  const proxy = await startWebProxy(url)
  closing.push(proxy.close)
  const client = (options: ConnectOptions = {}) => {
    const made = connect<typeof app>(proxy.url, { ...quick, ...options })
    closing.push(made.close)
    return made
  }
  return { hub, url, proxy, client, server: hub.channel("room/:room", lobby) }
}

const until = (check: () => unknown) => expect.poll(() => Boolean(check())).toBe(true)

describe.each(["sse", "poll"] as const)("by %s, a client", (name) => {
  const transports = [name]

  test.each([
    ["JSON", {}],
    ["MessagePack", { codec: msgpack }],
  ])("does all that it does over a WebSocket, speaking %s", async (_, codec) => {
    const { client, server } = await start()
    const [ada, bob] = [client({ transports, ...codec }), client({ transports })]
    const room = ada.channel("room/:room", lobby)
    const heard: unknown[] = []
    const typing = vi.fn()
    room.on("said", ({ text }, { replayed }) => heard.push([text, replayed]))
    room.onSignal("typing", typing)
    await room.ready()
    expect(ada.transport).toBe(name)
    const texts = Array.from({ length: 20 }, (_, index) => `${index}`)
    await Promise.all(texts.map((text) => room.publish("said", { text })))
    await until(() => heard.length === texts.length)
    expect(heard.map((each) => (each as unknown[])[0])).toEqual(texts)
    expect(await room.call("double", 4)).toBe(8)
    const theirs = bob.channel("room/:room", lobby)
    await theirs.ready()
    await room.presence.enter({ name: "Ada" })
    await until(() => theirs.presence.members.size === 1)
    await until(() => {
      theirs.signal("typing", {})
      return typing.mock.calls.length > 0
    })
    await theirs.state("price").set("A", 7)
    await until(() => room.state("price").get("A") === 7)
    await room.presence.leave()
    await until(() => theirs.presence.members.size === 0)
    expect((await server.history({ last: 30 })).map(({ data }) => (data as { text: string }).text)).toEqual(
      texts,
    )
  })

  test("subscribes to more later, is told of refusals, and of one message in many that is none", async () => {
    const { client } = await start()
    const ada = client({ transports })
    const refused = ada.channel("room/:room", { room: "closed" })
    refused.onError(() => undefined)
    await expect(refused.ready()).rejects.toMatchObject({ code: "not_allowed" })
    const room = ada.channel("room/:room", lobby)
    const statuses: string[] = []
    room.onStatus((status) => statuses.push(status))
    const heard = vi.fn()
    room.on("moved", heard)
    await room.ready()
    await ada.channel("room/:room", { room: "other" }).ready()
    const price = room.state("price")
    const outcomes = await Promise.allSettled([
      room.publish("moved", 1),
      price.set("k".repeat(300), 1),
      room.publish("moved", 2),
    ])
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
    expect(outcomes[1]).toMatchObject({ reason: { code: "invalid_message" } })
    await until(() => heard.mock.calls.length === 2)
    expect(statuses).toEqual(["subscribing", "live"])
  })
})

test("polls do not hurry while the log cannot serve a channel", async () => {
  const log = memoryLog()
  const hub = createHub(app, {
    log: { ...log, watch: () => Promise.reject(new HoldfastError("log_unavailable", "away")) },
    logger: { warn: () => undefined, error: () => undefined },
    channels: { "room/:room": { subscribe: true } },
  })
  closing.push(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  const proxy = await startWebProxy(url)
  closing.push(proxy.close)
  const clock = virtualClock()
  const client = connect<typeof app>(proxy.url, { ...quick, clock, transports: ["poll"] })
  closing.push(client.close)
  client.channel("room/:room", lobby).subscribe()
  const heldOpen = async () => {
    await until(() => [...hub.connections()].length === 1)
    // whatever was about to be asked for comes before this
    await fetch(`${proxy.url}/poll`, { method: "POST" })
    return proxy.paths.length
  }
  // with the channel, and without it
  const first = await heldOpen()
  await clock.advance(999)
  expect(await heldOpen()).toBe(first + 1)
  await clock.advance(1)
  await until(() => proxy.paths.length > first + 2)
})

describe("10,000 messages", () => {
  const counting = contract({ count: channel({ events: { one: z.number() }, keep: { events: 20_000 } }) })

  test.each<[string, ConnectOptions, (proxy: WebProxy, round: number) => void]>([
    ["over event streams that are cut", { transports: ["sse"] }, (proxy) => proxy.cut()],
    ["over polls that are cut", { transports: ["poll"] }, (proxy) => proxy.cut()],
    [
      "over one transport after the other",
      {},
      (proxy, round) => {
        proxy.upgrades = round % 3 === 0 ? "pass" : 400
        proxy.buffers = round % 3 === 2
        proxy.cut()
      },
    ],
  ])("come once each %s", async (_, options, disturb) => {
    const hub = createHub(counting, { channels: { count: { subscribe: true } } })
    closing.push(() => hub.close())
    const { url } = await hub.listen({ port: 0 })
    const proxy = await startWebProxy(url)
    closing.push(proxy.close)
    const client = connect<typeof counting>(proxy.url, { ...quick, ...options })
    closing.push(client.close)
    const used = new Set<string>()
    client.on("transport", (name) => used.add(name))
    const room = client.channel("count")
    const heard: number[] = []
    room.on("one", (value) => heard.push(value))
    await room.ready()
    const server = hub.channel("count", {})
    for (let value = 0; value < 10_000; value += 100) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => server.publish("one", value + index)))
      if (value % 1_000 !== 900) continue
      disturb(proxy, (value + 100) / 1_000)
      await until(() => heard.length > value - 500)
    }
    await until(() => heard.length >= 10_000)
    expect(heard).toEqual(Array.from({ length: 10_000 }, (_, index) => index))
    expect([...used]).toEqual(options.transports ?? ["websocket", "sse", "poll"])
  })
})

describe("a client chooses", () => {
  test.each<[string, Upgrades]>([
    ["is not answered", "silent"],
    ["opens and passes nothing", "mute"],
    ["is refused with 400", 400],
    ["is answered with 200", 200],
    ["is refused with 403", 403],
  ])("the event stream when a WebSocket %s", async (_, upgrades) => {
    const { client, proxy, server } = await start()
    proxy.upgrades = upgrades
    const ada = client()
    const heard: string[] = []
    ada.channel("room/:room", lobby).on("said", ({ text }) => heard.push(text))
    await ada.channel("room/:room", lobby).ready()
    await server.publish("said", { text: "hello" })
    await until(() => heard.length === 1)
    expect(ada.transport).toBe("sse")
    // and at once when it comes back
    const upgraded = proxy.upgraded()
    proxy.cut()
    await server.publish("said", { text: "again" })
    await until(() => heard.length === 2)
    expect(proxy.upgraded()).toBe(upgraded)
  })

  test("polling when streams are held back too", async () => {
    const { client, proxy } = await start()
    proxy.upgrades = 400
    proxy.buffers = true
    const ada = client()
    await ada.channel("room/:room", lobby).ready()
    expect(ada.transport).toBe("poll")
  })

  test("what worked before, when the next page asks", async () => {
    const storage = new Map<string, string>()
    vi.stubGlobal("document", {})
    vi.stubGlobal("localStorage", {
      getItem: (name: string) => storage.get(name) ?? null,
      setItem: (name: string, value: string) => storage.set(name, value),
    })
    const { client, proxy } = await start()
    proxy.upgrades = "silent"
    const first = client()
    await first.channel("room/:room", lobby).ready()
    first.close()
    const second = client()
    await second.channel("room/:room", lobby).ready()
    expect(second.transport).toBe("sse")
    expect(proxy.upgraded()).toBe(1)
  })

  test("the WebSocket, when nothing is in its way; a server that is down is no reason not to", async () => {
    const { client, proxy, url } = await start()
    const ada = client()
    await ada.channel("room/:room", lobby).ready()
    expect(ada.transport).toBe("websocket")
    await proxy.close()
    await until(() => ada.status === "waiting")
    expect(url).toBeDefined()
  })

  test("to keep a connection alive that is cut when it is idle", async () => {
    const { client, hub, proxy } = await start()
    const clock = virtualClock()
    const ada = client({ clock, transports: ["websocket"] })
    ada.channel("room/:room", lobby).subscribe()
    const isOpen = () => ada.status === "open" && [...hub.connections()].length === 1
    for (let cut = 0; cut < 2; cut++) {
      await until(isOpen)
      await clock.advance(2_000)
      proxy.cut()
      await until(() => ada.status === "waiting")
      await clock.advance(quick.backoff.maxMs)
    }
    await until(isOpen)
    for (let ping = 0; ping < 3; ping++) {
      // what was sent and answered before is behind it
      await ada.channel("room/:room", lobby).call("double", 1)
      const before = proxy.sent()
      await clock.advance(1_000)
      await until(() => proxy.sent() > before)
    }
  })
})

describe("a server that goes away", () => {
  test("is left for another line before it closes: nothing is cut, no call lost", async () => {
    const { client, hub, proxy, server } = await start()
    const ada = client()
    const room = ada.channel("room/:room", lobby)
    const heard: number[] = []
    const statuses: string[] = []
    room.on("moved", (value) => heard.push(value))
    await room.ready()
    ada.on("status", (status) => statuses.push(status))
    const upgraded = proxy.upgraded()
    let value = 0
    const publish = async () => {
      for (let index = 0; index < 10; index++) await server.publish("moved", value++)
    }
    await publish()
    hub.disconnectAll({ reason: "deploy", reconnect: true, spreadMs: 100 })
    await publish()
    expect(await room.call("double", 21)).toBe(42)
    await until(() => proxy.upgraded() > upgraded)
    await publish()
    await until(() => heard.length === 30)
    expect(heard).toEqual(Array.from({ length: 30 }, (_, index) => index))
    expect(statuses).toEqual([])
  })
})
