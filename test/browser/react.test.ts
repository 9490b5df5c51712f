import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { connect } from "holdfast/client"
import { createHub } from "holdfast/server"
import type { Browser, Page } from "playwright-core"
import { createElement, StrictMode } from "react"
import { renderToString } from "react-dom/server"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { launchChromium } from "../support/chromium.ts"
import { program } from "../support/program.ts"
import { App, type AppProps, app, connects } from "./react-page.tsx"

describe.skipIf(!program("chromium"))("the hooks of React in a browser, in strict mode", () => {
  let browser: Browser
  let script: string

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL("react-page.tsx", import.meta.url))],
      bundle: true,
      format: "esm",
      jsx: "automatic",
      // with all that React checks while one develops
      define: { "process.env.NODE_ENV": '"development"' },
      write: false,
    })
    script = bundle.outputFiles[0]?.text ?? ""
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  /** A page, the hub that it speaks to, and what it sent there. */
  async function open({ html = "", search = "" } = {}) {
    const server = createServer((request, response) => {
      const isScript = request.url === "/page.js"
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html")
      response.end(
        isScript
          ? script
          : `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="root">${html}</div><script type="module" src="/page.js"></script>`,
      )
    })
    let allowed = false
    const hub = createHub(app, {
      channels: {
        "room/:room": {
          subscribe: true,
          events: { said: ({ data }) => data },
          presence: ({ data }) => data,
          signals: { typing: ({ data }) => data },
        },
        "secret/:name": { subscribe: () => allowed },
      },
    })
    hub.attach(server)
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const { port } = server.address() as AddressInfo
    const page = await browser.newPage()
    const errors: string[] = []
    const lines: string[][] = []
    page.on("pageerror", (error) => errors.push(error.message))
    page.on("console", (message) => {
      const isOffline = message.text().includes("ERR_INTERNET_DISCONNECTED")
      if (message.type() === "error" && !isOffline) errors.push(message.text())
    })
    page.on("websocket", (socket) => {
      const sent: string[] = []
      lines.push(sent)
      socket.on("framesent", ({ payload }) => {
        const { type, subscriptions = [] } = JSON.parse(payload as string)
        sent.push(type, ...subscriptions.map(({ channel }: { channel: string }) => `subscribe ${channel}`))
      })
    })
    await page.goto(`http://127.0.0.1:${port}/${search}`)
    await page.waitForFunction(() => "reactPage" in window)
    onTestFinished(async () => {
      await page.close()
      await hub.close()
      server.closeAllConnections()
      server.close()
      expect(errors).toEqual([])
    })
    const room = hub.channel("room/:room", { room: "lobby" })
    return {
      page,
      hub,
      room,
      url: `ws://127.0.0.1:${port}`,
      /** What was sent, by line, without heartbeats. */
      lines,
      allow: () => {
        allowed = true
      },
    }
  }

  const show = (page: Page, props: AppProps) => page.evaluate((props) => window.reactPage.show(props), props)
  const shown = async (page: Page, part: string) => JSON.parse((await page.textContent(`#${part}`)) || "null")
  const until = (page: Page, part: string, value: unknown) =>
    expect.poll(() => shown(page, part)).toEqual(value)
  const renders = (page: Page, part: string) =>
    page.evaluate((part) => window.reactPage.renders[part] ?? 0, part)
  const count = (lines: readonly string[][], type: string) =>
    lines.flat().filter((sent) => sent.startsWith(type)).length

  test("all parts show what the channel has, over one connection and one subscription", async () => {
    const { page, room, lines, url } = await open()
    await room.publish("said", "before")
    await room.set("price", "AAPL", 1)
    const parts = [
      "events",
      "last",
      "heard",
      "prices",
      "aapl",
      "msft",
      "members",
      "typing",
      "status",
      "connection",
    ]
    await show(page, { parts, name: "Ada" })
    await until(page, "events", ["before"])
    await until(page, "prices", [["AAPL", 1]])
    await until(page, "members", ["Ada"])
    await until(page, "status", { status: "live" })
    await until(page, "connection", "open")
    await room.publish("said", "after")
    await room.publish("left", "Bob")
    await until(page, "events", ["before", "after"])
    await until(page, "last", [
      ["said", "after"],
      ["left", "Bob"],
    ])
    await until(page, "aapl", 1)
    await until(page, "msft", null)
    expect(await page.evaluate(() => window.reactPage.heard)).toEqual(["before", "after"])

    const other = connect<typeof app>(url, { WebSocket })
    onTestFinished(() => other.close())
    await other.channel("room/:room", { room: "lobby" }).ready()
    other.channel("room/:room", { room: "lobby" }).signal("typing", {})
    await until(page, "typing", [[other.member, {}]])
    await until(page, "typing", [])

    expect(lines).toHaveLength(1)
    expect(count(lines, "subscribe")).toBe(1)
    expect(count(lines, "enter")).toBe(1)
    expect(count(lines, "unsubscribe")).toBe(0)
  })

  test("what a component sends comes back, and the promise settles", async () => {
    const { page } = await open()
    await show(page, { parts: ["events"] })
    const position = await page.evaluate(() => window.reactPage.say("hello"))
    expect(position).toMatchObject({ offset: 1 })
    await until(page, "events", ["hello"])
  })

  test("a part renders when what it shows changes, and not with every message", async () => {
    const { page, room } = await open()
    await show(page, { parts: ["events", "prices", "aapl", "msft", "members", "status"] })
    await room.set("price", "AAPL", 1)
    await room.set("price", "MSFT", 1)
    await until(page, "msft", 1)
    const still = ["events", "msft", "members", "status"]
    const before = await Promise.all(still.map((part) => renders(page, part)))
    const beforePrices = await renders(page, "aapl")
    const messages = 199
    for (let price = 2; price <= 1 + messages; price++) void room.set("price", "AAPL", price)
    await until(page, "aapl", 1 + messages)
    expect(await Promise.all(still.map((part) => renders(page, part)))).toEqual(before)
    // strict mode renders twice; a frame shows what came since the one before
    expect((await renders(page, "aapl")) - beforePrices).toBeLessThan(2 * messages)
  })

  test("another parameter is another channel; the old one is left", async () => {
    const { page, hub, room, lines } = await open()
    await room.publish("said", "in the lobby")
    await hub.channel("room/:room", { room: "bar" }).publish("said", "in the bar")
    await show(page, { parts: ["events", "status"] })
    await until(page, "events", ["in the lobby"])
    await show(page, { parts: ["events", "status"], room: "bar" })
    await until(page, "events", ["in the bar"])
    await expect.poll(() => count(lines, "unsubscribe")).toBe(1)
    expect(count(lines, "subscribe")).toBe(2)
    expect(lines).toHaveLength(1)
  })

  test("who comes back soon finds everything as it was; a while after the last user all is closed", async () => {
    const { page, hub, room, lines } = await open()
    await show(page, { parts: ["events", "members"], name: "Ada" })
    await until(page, "members", ["Ada"])
    await page.evaluate(() => {
      const { unmount, show } = window.reactPage
      unmount()
      show({ parts: ["events", "members"], name: "Ada" })
    })
    await room.publish("said", "still here")
    await until(page, "events", ["still here"])
    expect(lines).toHaveLength(1)
    expect(count(lines, "subscribe")).toBe(1)
    expect(count(lines, "enter")).toBe(1)
    await page.evaluate(() => window.reactPage.unmount())
    await expect.poll(() => [...hub.connections()].length).toBe(0)
    expect((await room.members()).size).toBe(0)
    await show(page, { parts: ["events"] })
    await until(page, "events", ["still here"])
    expect(lines).toHaveLength(2)
  })

  test("who leaves the presence only stays in the channel", async () => {
    const { page, room, lines } = await open()
    await show(page, { parts: ["members"], name: "Ada" })
    await until(page, "members", ["Ada"])
    await show(page, { parts: ["members"], name: "Grace" })
    await until(page, "members", ["Grace"])
    await show(page, { parts: ["members"], name: undefined })
    await until(page, "members", [])
    expect((await room.members()).size).toBe(0)
    expect(count(lines, "subscribe")).toBe(1)
  })

  test("a refusal is shown, and asked about again", async () => {
    const { page, allow } = await open()
    await show(page, { parts: ["secret"] })
    await until(page, "secret", { status: "refused", error: "not_allowed", events: 0 })
    allow()
    await page.evaluate(() => window.reactPage.retry())
    await until(page, "secret", { status: "live", events: 0 })
  })

  test("a gap is shown where it is", async () => {
    const { page, hub, room } = await open()
    await show(page, { parts: ["events", "status"] })
    await room.publish("said", "before")
    await until(page, "events", ["before"])
    await page.context().setOffline(true)
    for (const connection of hub.connections()) connection.drop()
    for (let n = 1; n <= 50; n++) await room.publish("said", `${n}`)
    await page.context().setOffline(false)
    const kept = Array.from({ length: 10 }, (_, index) => `${index + 41}`)
    await until(page, "events", ["before", "(gap) 41", ...kept.slice(1)])
    await until(page, "status", { status: "live", gap: "trimmed" })
  })

  test("parts of one page never show different values, though rendering makes pauses", async () => {
    const { page, room } = await open()
    let price = 0
    // not for ever: React lets what is urgent go before what may pause
    const timer = setInterval(() => {
      if (price < 60) void room.set("price", "AAPL", ++price)
    }, 25)
    onTestFinished(() => clearInterval(timer))
    await show(page, { parts: ["aapl"] })
    await page.waitForFunction(() => document.querySelector("#aapl")?.textContent !== "null")
    await show(page, { parts: ["aapl", "slow"] })
    await until(page, "slow", 10)
    expect(await page.evaluate(() => window.reactPage.torn)).toEqual([])
  })

  test("what the server rendered connects nothing there, and is taken over by the page", async () => {
    const props: AppProps = {
      parts: ["events", "prices", "aapl", "members", "typing", "status", "connection"],
    }
    const html = renderToString(createElement(StrictMode, null, createElement(App, props)))
    expect(connects()).toBe(0)
    expect(html).toContain(`<pre id="events">[]</pre>`)
    expect(html).toContain("subscribing")
    const { page, room } = await open({ html })
    await room.publish("said", "hello")
    await page.evaluate((props) => window.reactPage.hydrate(props), props)
    await until(page, "events", ["hello"])
    await until(page, "status", { status: "live" })
  })

  test("a provider has a client of its own, for as long as it is there", async () => {
    const { page, hub, lines } = await open({ search: "?provider" })
    await show(page, { parts: ["status"] })
    await until(page, "status", { status: "live" })
    await show(page, { parts: [] })
    expect(lines).toHaveLength(1)
    await page.evaluate(() => window.reactPage.unmount())
    await expect.poll(() => [...hub.connections()].length).toBe(0)
  })
})
