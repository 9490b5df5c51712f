import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { connect } from "holdfast/client"
import { createHub } from "holdfast/server"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { launchChromium } from "../support/chromium.ts"
import { program } from "../support/program.ts"
import { app } from "./tabs-page.ts"

describe.skipIf(!program("chromium"))("tabs in a browser", () => {
  let browser: Browser
  let context: BrowserContext
  const scripts = new Map<string, string>()

  beforeAll(async () => {
    for (const [path, file] of [
      ["/page.js", "tabs-page.ts"],
      ["/worker.js", "tabs-worker.ts"],
    ] as const) {
      const bundle = await build({
        entryPoints: [fileURLToPath(new URL(file, import.meta.url))],
        bundle: true,
        format: "esm",
        write: false,
      })
      scripts.set(path, bundle.outputFiles[0]?.text ?? "")
    }
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    context = await browser.newContext()
    return () => context.close()
  })

  /** A server of the page and of a hub, and how many connections it has. */
  async function serve({ refuses = "", heartbeatMs = 25_000 } = {}) {
    let streams = 0
    const server = createServer((request, response) => {
      if (request.url?.endsWith("/events")) {
        if (refuses.includes("sse")) return void response.writeHead(502).end()
        streams++
        response.once("close", () => streams--)
      }
      if (hub.handle(request, response)) return
      const script = scripts.get(request.url ?? "")
      if (request.url === "/missing.js") response.statusCode = 404
      response.setHeader("content-type", script === undefined ? "text/html" : "text/javascript")
      response.end(
        script ??
          `<!doctype html><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>`,
      )
    })
    server.on("upgrade", (_, socket) => {
      if (refuses.includes("websocket")) socket.destroy()
    })
    const hub = createHub(app, {
      limits: { heartbeatMs },
      channels: {
        "room/:room": { subscribe: true, events: { said: ({ data }) => data }, presence: ({ data }) => data },
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
    const room = hub.channel("room/:room", { room: "lobby" })
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
      hub,
      room,
      streams: () => streams,
      open: () => [...hub.connections()].length,
      /** Publishes numbers, in order, spread over some time. */
      count: async (from: number, to: number) => {
        for (let n = from; n <= to; n++) {
          await room.publish("said", `${n}`)
          if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 4))
        }
      },
    }
  }

  const openTab = async (url: string) => {
    const page = await context.newPage()
    await page.goto(url)
    await untilOpen(page)
    return page
  }
  const untilOpen = (page: Page) => page.waitForFunction(() => window.tabsPage?.status() === "open")
  const heard = (page: Page) => page.evaluate(() => window.tabsPage.heard)
  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => `${from + index}`)
  const untilHeard = async (page: Page, to: number) => {
    await page.waitForFunction((last) => window.tabsPage.heard.includes(last), `${to}`)
    expect(await heard(page)).toEqual(numbers(1, to))
    expect(await page.evaluate(() => window.tabsPage.gaps)).toEqual([])
  }
  const crash = async (page: Page) => {
    const session = await context.newCDPSession(page)
    const crashed = page.waitForEvent("crash")
    session.send("Page.crash").catch(() => {})
    await crashed
  }

  describe.each(["", "?worker"])("with %j", (search) => {
    test("three tabs have one connection, and are one member", async () => {
      const { url, open, count } = await serve()
      const tabs = [await openTab(url + search), await openTab(url + search), await openTab(url + search)]
      await count(1, 50)
      for (const tab of tabs) await untilHeard(tab, 50)
      await expect.poll(open).toBe(1)
      const members = await Promise.all(tabs.map((tab) => tab.evaluate(() => window.tabsPage.member())))
      expect(new Set(members).size).toBe(1)
    })

    test("of 1,000 messages none is lost or doubled when tabs are closed, crash and come", async () => {
      const { url, open, count } = await serve()
      const [first, second, third, fourth] = [
        await openTab(url + search),
        await openTab(url + search),
        await openTab(url + search),
        await openTab(url + search),
      ]
      await count(1, 200)
      await Promise.all([count(201, 500), first.close({ runBeforeUnload: true })])
      await Promise.all([count(501, 800), crash(second)])
      const fifth = await openTab(url + search)
      await count(801, 1_000)
      for (const tab of [third, fourth, fifth]) await untilHeard(tab, 1_000)
      await expect.poll(open).toBe(1)
    })

    test("what all tabs publish is in the log once, also when one of them is closed", async () => {
      const { url, room } = await serve()
      const tabs = [await openTab(url + search), await openTab(url + search), await openTab(url + search)]
      const texts = (tab: number) => Array.from({ length: 200 }, (_, index) => `${tab}-${index}`)
      const publish = (page: Page, tab: number) =>
        page.evaluate((all) => window.tabsPage.publish(all), texts(tab))
      const published = Promise.all([publish(tabs[1]!, 1), publish(tabs[2]!, 2)])
      await tabs[0]!.close()
      const offsets = (await published).flat()
      expect(new Set(offsets).size).toBe(400)
      const kept = (await room.history({ last: 5_000 })).map(({ data }) => data)
      expect(kept.filter((text) => text.startsWith("1-"))).toEqual(texts(1))
      expect(kept.filter((text) => text.startsWith("2-"))).toEqual(texts(2))
      await expect.poll(async () => (await heard(tabs[1]!)).length).toBe(400)
      expect(await heard(tabs[1]!)).toEqual(await heard(tabs[2]!))
    })
  })

  test("the connection is handed over when its tab is closed, and the member stays", async () => {
    // No heartbeat can find out that the tab is gone.
    const { url, room, count } = await serve({ heartbeatMs: 3_600_000 })
    const [leader, follower] = [await openTab(url), await openTab(url)]
    await follower.evaluate(() => window.tabsPage.enter("Ada"))
    const before = await follower.evaluate(() => window.tabsPage.member())
    const other = connect<typeof app>(url, { WebSocket })
    onTestFinished(() => other.close())
    const here: string[][] = []
    const { presence } = other.channel("room/:room", { room: "lobby" })
    presence.onChange((members) => here.push([...members.values()]))
    await expect.poll(() => here.at(-1)).toEqual(["Ada"])
    await count(1, 10)
    await untilHeard(follower, 10)
    await leader.close({ runBeforeUnload: true })
    const published = room.publish("said", "11")
    await follower.waitForFunction(() => window.tabsPage.heard.includes("11"))
    await published
    await untilOpen(follower)
    expect(await follower.evaluate(() => window.tabsPage.member())).toBe(before)
    await expect.poll(async () => [...(await room.members()).values()]).toEqual(["Ada"])
    // it has not even left for a moment
    expect(here.findLastIndex((members) => members.length === 0)).toBeLessThan(
      here.findIndex((members) => members.length > 0),
    )
  })

  test.each(["", "?worker"])(
    "where WebSockets are refused, they share an event stream (%j)",
    async (search) => {
      const { url, count, streams } = await serve({ refuses: "websocket" })
      const tabs = [await openTab(url + search), await openTab(url + search), await openTab(url + search)]
      await count(1, 100)
      for (const tab of tabs) await untilHeard(tab, 100)
      expect(await tabs[0]!.evaluate(() => window.tabsPage.transport())).toBe("sse")
      expect(streams()).toBe(1)
      await tabs[1]!.evaluate(() => window.tabsPage.enter("Ada"))
      await Promise.all([count(101, 300), tabs[0]!.close()])
      for (const tab of tabs.slice(1)) await untilHeard(tab, 300)
      await expect.poll(streams).toBe(1)
      await tabs[2]!.evaluate(() => window.tabsPage.publish(["301"]))
      await untilHeard(tabs[1]!, 301)
    },
  )

  test("where event streams are refused too, they share polls", async () => {
    const { url, count, room } = await serve({ refuses: "websocket sse" })
    const tabs = [await openTab(url), await openTab(url), await openTab(url)]
    await count(1, 100)
    for (const tab of tabs) await untilHeard(tab, 100)
    expect(await tabs[0]!.evaluate(() => window.tabsPage.transport())).toBe("poll")
    await tabs[1]!.evaluate(() => window.tabsPage.enter("Ada"))
    await Promise.all([count(101, 300), tabs[0]!.close()])
    for (const tab of tabs.slice(1)) await untilHeard(tab, 300)
    expect([...(await room.members()).values()]).toEqual(["Ada"])
    await tabs[2]!.evaluate(() => window.tabsPage.publish(["301"]))
    await untilHeard(tabs[1]!, 301)
  })

  test("where the worker's script cannot be loaded, a tab holds the connection", async () => {
    const { url, count, open } = await serve()
    const tabs = [await openTab(`${url}?broken`), await openTab(`${url}?broken`)]
    await count(1, 10)
    for (const tab of tabs) await untilHeard(tab, 10)
    expect(open()).toBe(1)
  })

  test("a page that has closed its client leaves the connection to others", async () => {
    const { url, count, open } = await serve()
    const [leader, follower] = [await openTab(url), await openTab(url)]
    await leader.evaluate(() => window.tabsPage.close())
    await follower.waitForFunction(async () => {
      const { held = [] } = await navigator.locks.query()
      return held.filter(({ name }) => name?.includes(" tab ")).length === 1
    })
    await count(1, 10)
    await untilHeard(follower, 10)
    // none between two polls, should the line have been slow to open
    expect(open()).toBeLessThanOrEqual(1)
  })

  test("a tab that is frozen does not keep the connection", async () => {
    const { url, count } = await serve()
    const [leader, follower] = [await openTab(url), await openTab(url)]
    await count(1, 10)
    await untilHeard(follower, 10)
    const session = await context.newCDPSession(leader)
    await session.send("Page.setWebLifecycleState", { state: "frozen" })
    await count(11, 20)
    await untilHeard(follower, 20)
    await session.send("Page.setWebLifecycleState", { state: "active" })
    await untilHeard(leader, 20)
  })

  test("a leader whose thread stands still is replaced by who wants a line", async () => {
    const { url, count } = await serve()
    const leader = await openTab(url)
    await count(1, 10)
    await untilHeard(leader, 10)
    const blocked = leader.evaluate(() => {
      const until = Date.now() + 5_000
      while (Date.now() < until);
    })
    const other = await openTab(url)
    await untilHeard(other, 10)
    await blocked
    await count(11, 20)
    await untilHeard(leader, 20)
    await untilHeard(other, 20)
  })

  test.each(["", "?worker"])("a page that is left and shown again as it was goes on (%j)", async (search) => {
    const { url, count, open } = await serve()
    const [leader, follower] = [await openTab(url + search), await openTab(url + search)]
    await leader.evaluate(() => Object.assign(window, { isSame: true }))
    await leader.goto("about:blank")
    await count(1, 10)
    await untilHeard(follower, 10)
    // it is not loaded again, which would be waited for otherwise
    await leader.goBack({ waitUntil: "commit" })
    await untilHeard(leader, 10)
    expect(await leader.evaluate(() => "isSame" in window)).toBe(true)
    await count(11, 20)
    await Promise.all([untilHeard(leader, 20), untilHeard(follower, 20)])
    await expect.poll(open).toBe(1)
  })
})
