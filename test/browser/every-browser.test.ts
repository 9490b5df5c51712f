import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { createHub, type ServerLimits } from "holdfast/server"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { browsers, type TestBrowser, type TestPage } from "../support/browsers/browser.ts"
import { program } from "../support/program.ts"
import { sleepWithChildren } from "../support/sleep.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { startWebSocketTrap } from "../support/websocket-trap.ts"
import { app } from "./every-browser-page.ts"

const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index)

/** Tells the server that it is shown. */
const OTHER_HTML = `<!doctype html><link rel="icon" href="data:,"><script>fetch("/arrived")</script>`

let script = ""
beforeAll(async () => {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL("every-browser-page.ts", import.meta.url))],
    bundle: true,
    format: "esm",
    target: "es2022",
    write: false,
  })
  script = bundle.outputFiles[0]?.text ?? ""
})

/** A server of the page and of a hub. */
async function serve(limits: Partial<ServerLimits> = {}) {
  const server = createServer((request, response) => {
    if (hub.handle(request, response)) return
    if (request.url === "/arrived") handleArrival()
    const isScript = request.url === "/page.js"
    response.setHeader("content-type", isScript ? "text/javascript" : "text/html")
    const html = `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`
    response.end(isScript ? script : request.url === "/other" ? OTHER_HTML : html)
  })
  let handleArrival: () => void = () => undefined
  let said = 0
  let handleSaid: (count: number) => void = () => undefined
  const hub = createHub(app, {
    limits,
    logger: { warn: () => undefined, error: console.error },
    channels: {
      "room/:room": {
        subscribe: true,
        events: {
          said: ({ data }) => {
            handleSaid(++said)
            return data
          },
          blob: ({ data }) => data,
        },
        presence: ({ data }) => data,
      },
    },
  })
  hub.attach(server)
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  onTestFinished(async () => {
    await hub.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const room = hub.channel("room/:room", { room: "lobby" })
  return {
    port,
    url: `http://127.0.0.1:${port}/`,
    hub,
    room,
    publish: async (from: number, to: number) => {
      for (const n of numbers(from, to)) await room.publish("said", n)
    },
    /** Resolves when the server has taken so many from its clients. */
    takes: (count: number) =>
      new Promise<void>((resolve) => {
        handleSaid = (now) => {
          if (now === count) resolve()
        }
      }),
    /** Resolves when the other page is shown. */
    arrival: () =>
      new Promise<void>((resolve) => {
        handleArrival = resolve
      }),
    /** Resolves when there are so many. */
    connections: async (count: number) => {
      while ([...hub.connections()].length !== count) await new Promise(setImmediate)
    },
    drop: () => {
      for (const connection of hub.connections()) connection.drop()
    },
  }
}

describe.each(browsers)("in $name", ({ programs, keepsPages, launch }) => {
  const isHere = programs.every((name) => program(name) !== undefined)
  let browser: TestBrowser
  beforeAll(async () => {
    if (isHere) browser = await launch()
  })
  afterAll(() => browser?.close())

  /** Closed with the test. */
  async function open(url: string): Promise<TestPage> {
    const page = await browser.open(url)
    onTestFinished(() => page.close().catch(() => undefined))
    return page
  }

  describe.skipIf(!isHere)("a page", () => {
    test("chats with another, and both see who is there", async () => {
      const { url } = await serve()
      const [ada, bob] = [await open(url), await open(url)]
      await ada.evaluate(`every.enter("Ada")`)
      await bob.evaluate(`every.enter("Bob")`)
      expect(await ada.evaluate("every.sees(2)")).toEqual(["Ada", "Bob"])
      await ada.evaluate("every.publish(1)")
      expect(await bob.evaluate("every.hears(1)")).toEqual([1])
      await bob.evaluate("every.publish(2)")
      expect(await ada.evaluate("every.hears(2)")).toEqual([1, 2])
      expect(await ada.evaluate("every.client.transport")).toBe("websocket")
    })

    test.each(["json", "msgpack"])("sends and receives bytes over %s", async (codec) => {
      const { url, room, publish } = await serve()
      const page = await open(`${url}?${codec}`)
      await page.evaluate("every.send([0, 1, 127, 128, 255])")
      await room.publish("blob", new Uint8Array([255, 0]))
      await publish(1, 1)
      await page.evaluate("every.hears(1)")
      expect(await page.evaluate("every.blobs")).toEqual([
        [0, 1, 127, 128, 255],
        [255, 0],
      ])
    })

    test("misses nothing when its line is cut, and comes back by itself", async () => {
      const { url, publish, drop } = await serve()
      const page = await open(url)
      await publish(1, 100)
      await page.evaluate("every.hears(50)")
      drop()
      await publish(101, 200)
      expect(await page.evaluate("every.hears(200)")).toEqual(numbers(1, 200))
      expect(await page.evaluate("every.gaps")).toEqual([])
    })

    test("goes on by another way where WebSockets are swallowed, and at once the next time", async () => {
      const { port, publish } = await serve()
      const trap = await startWebSocketTrap(port, "nothing")
      onTestFinished(() => trap.close())
      const page = await open(`http://127.0.0.1:${trap.port}/?sse`)
      await publish(1, 1)
      expect(await page.evaluate("every.hears(1)")).toEqual([1])
      expect(await page.evaluate("every.client.transport")).toBe("sse")
      const tried = trap.swallowed()
      await page.evaluate("every.publish(2)")
      await page.evaluate("every.hears(2)")
      await page.reload()
      expect(await page.evaluate("every.hears(2)")).toEqual([1, 2])
      expect(await page.evaluate("every.client.transport")).toBe("sse")
      expect(trap.swallowed()).toBe(tried)
    })

    test("keeps what it has published over a reload, and the log has it once", async () => {
      const { port, room, takes } = await serve()
      const proxy = await startTcpProxy(port)
      onTestFinished(() => proxy.close())
      const page = await open(`http://127.0.0.1:${proxy.port}/?outbox`)
      await page.evaluate("every.opened()")
      // from here on the server takes what comes, and no answer comes through
      proxy.freezeAnswers()
      const taken = takes(3)
      await page.evaluate("[1, 2, 3].forEach(every.publish)")
      await taken
      proxy.cut()
      await page.reload()
      expect(await page.evaluate("every.hears(3)")).toEqual([1, 2, 3])
      expect((await room.history({ last: 10 })).map(({ data }) => data)).toEqual([1, 2, 3])
    })

    test("finds out when it wakes that its connection has died while it slept", async () => {
      // No heartbeat can find it out.
      const { port, publish } = await serve({ heartbeatMs: 3_600_000 })
      const proxy = await startTcpProxy(port)
      onTestFinished(() => proxy.close())
      const page = await open(`http://127.0.0.1:${proxy.port}/`)
      await page.evaluate("every.opened()")
      proxy.freezeAnswers()
      await publish(1, 1)
      await sleepWithChildren(6_000)
      expect(await page.evaluate("every.hears(1)")).toEqual([1])
    })

    test("goes on where it stood when it is put away and shown again", async () => {
      const { url, arrival, connections, publish } = await serve()
      const page = await open(url)
      await page.evaluate("every.opened()")
      await publish(1, 1)
      await page.evaluate("every.hears(1)")
      const arrived = arrival()
      // what is asked of a page that is being left may get no answer: the server sees where it is
      await page.evaluate("void (every.isSame = true, setTimeout(() => { location.href = '/other' }))")
      await arrived
      await connections(0)
      await publish(2, 2)
      await page.evaluate("void setTimeout(() => history.back())")
      await connections(1)
      expect(await page.evaluate("every.hears(2)")).toEqual([1, 2])
      expect(await page.evaluate("every.gaps")).toEqual([])
      expect(await page.evaluate("every.isSame === true")).toBe(keepsPages)
    })

    test("shares its connection with the other tabs, and hands it over when it is closed", async () => {
      const { url, hub, connections, publish } = await serve()
      const tabs = [await open(`${url}?tabs`), await open(`${url}?tabs`), await open(`${url}?tabs`)]
      await Promise.all(tabs.map((tab) => tab.evaluate("every.opened()")))
      expect([...hub.connections()]).toHaveLength(1)
      await publish(1, 50)
      const [leader, ...others] = tabs as [TestPage, ...TestPage[]]
      await leader.evaluate("every.hears(50)")
      await leader.close()
      await publish(51, 100)
      for (const tab of others) expect(await tab.evaluate("every.hears(100)")).toEqual(numbers(1, 100))
      // that of the leader may take a moment to go
      await connections(1)
    })

    test("reads a channel with its own EventSource, and resumes behind the last event", async () => {
      const { url, publish, drop } = await serve()
      const page = await open(url)
      await page.evaluate(`void (window.source = new EventSource("/holdfast/events?channel=room/lobby&history=all"),
        window.read = [],
        source.onmessage = ({ data }) => {
          const message = JSON.parse(data)
          if (message.type === "event") read.push(message.data)
        })`)
      const reads = (count: number) =>
        page.evaluate(`new Promise((resolve) => {
          const look = () => read.length >= ${count} && resolve(read)
          source.addEventListener("message", look)
          look()
        })`)
      await publish(1, 10)
      expect(await reads(10)).toEqual(numbers(1, 10))
      drop()
      await publish(11, 20)
      expect(await reads(20)).toEqual(numbers(1, 20))
      await page.evaluate("source.close()")
    })
  })
})
