import { type Client, type ConnectOptions, connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts"
import { listeningAt, spawnTsx } from "../support/tsx-process.ts"
import type { app } from "./support/state-app.ts"

let server: ReturnType<typeof spawnTsx>
let url: string
let proxy: TcpProxy

beforeAll(async () => {
  server = spawnTsx("test/server/support/state-server.ts", [])
  url = await listeningAt(server)
  proxy = await startTcpProxy(Number(new URL(url).port))
})

afterAll(async () => {
  await proxy.close()
  server.kill()
})

function client(options: ConnectOptions, to = url): Client<typeof app> {
  const made = connect<typeof app>(to, { WebSocket, backoff: { minMs: 1, maxMs: 20 }, ...options })
  made.on("error", () => undefined)
  onTestFinished(() => made.close())
  return made
}

const cases = (["websocket", "sse", "poll"] as const).flatMap((name) => [
  { name, codec: "JSON", options: { transports: [name] } as ConnectOptions },
  { name, codec: "MessagePack", options: { transports: [name], codec: msgpack } as ConnectOptions },
])
let rooms = 0

describe.each(cases)("by $name in $codec", ({ options }) => {
  test.each([
    ["the last events", { last: 3 }, [27, 28, 29]],
    ["all events", "all", [25, 26, 27, 28, 29]],
    ["no history", undefined, []],
  ] as const)("states are complete when a channel with %s is ready", async (_, history, events) => {
    const name = `room${++rooms}`
    const writer = client(options).channel("room/:name", { name })
    await writer.call("fill", 30)
    const room = client(options).channel("room/:name", { name }, history === undefined ? {} : { history })
    const heard: number[] = []
    const changes: number[] = []
    const next = new Promise<void>((resolve) =>
      room.on("e", (n) => {
        heard.push(n)
        if (n === 0) resolve()
      }),
    )
    room.state("s").onChange(({ value }) => changes.push(value as number))
    await room.ready()
    const state = room.state("s")
    expect(state.get("k")).toBe(29)
    expect([...state.entries()]).toHaveLength(31)
    expect(heard).toEqual(events)
    await writer.call("fill", 1)
    await next
    expect(heard).toEqual([...events, 0])
    expect(state.get("k")).toBe(0)
    // nothing is told that an entry below the end of the snapshot has
    expect(changes).toHaveLength(32)
    expect(room.stats).toMatchObject({ duplicates: 0, gaps: 0 })
  })

  test.each([
    ["the last events", { last: 3 }, [27, 28, 29]],
    ["all events", "all", Array.from({ length: 30 }, (_, n) => n)],
    ["no history", undefined, []],
  ] as const)("a channel without states and with %s is ready behind them", async (_, history, events) => {
    const name = `feed${++rooms}`
    await client(options).channel("feed/:name", { name }).call("fill", 30)
    const feed = client(options).channel("feed/:name", { name }, history === undefined ? {} : { history })
    const heard: number[] = []
    feed.on("e", (n, { replayed }) => {
      expect(replayed).toBe(true)
      heard.push(n)
    })
    await feed.ready()
    expect(heard).toEqual(events)
  })

  test("a channel that comes back is live behind the events that it missed", async () => {
    const name = `feed${++rooms}`
    const writer = client(options).channel("feed/:name", { name })
    const near = client(options, `ws://127.0.0.1:${proxy.port}/holdfast`).channel("feed/:name", { name })
    const heard: number[] = []
    near.on("e", (n) => heard.push(n))
    await near.ready()
    const { target } = proxy
    const away = new Promise<void>((resolve) =>
      near.onStatus((status) => status === "subscribing" && resolve()),
    )
    // nothing listens there
    proxy.target = 1
    proxy.cut()
    await away
    await writer.call("fill", 30)
    proxy.target = target
    await near.ready()
    expect(heard).toEqual(Array.from({ length: 30 }, (_, n) => n))
  })

  test("a gap of events leaves the state alone", async () => {
    const name = `room${++rooms}`
    const writer = client(options).channel("room/:name", { name })
    await writer.call("fill", 5)
    const near = client(options, `ws://127.0.0.1:${proxy.port}/holdfast`).channel("room/:name", { name })
    const gaps: (readonly string[] | undefined)[] = []
    const heard: number[] = []
    const values: (number | undefined)[] = []
    near.onGap(({ collections }) => gaps.push(collections))
    near.state("s").onChange(({ key, value }) => key === "k" && values.push(value))
    await near.ready()
    const target = proxy.target
    // nobody listens there
    proxy.target = 1
    proxy.cut()
    await writer.call("fill", 30)
    const last = new Promise<void>((resolve) =>
      near.on("e", (n) => {
        heard.push(n)
        if (n === 29) resolve()
      }),
    )
    proxy.target = target
    await last
    expect(gaps).toEqual([["events"]])
    expect(heard).toEqual([25, 26, 27, 28, 29])
    expect([...near.state("s").entries()]).toHaveLength(31)
    expect(values).not.toContain(undefined)
    expect(values.at(-1)).toBe(29)
    expect(near.stats).toMatchObject({ gaps: 1 })
  })
})
