import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"
import { createHub } from "holdfast/server"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { program } from "../support/program.ts"
import { app } from "./outbox-page.ts"

describe.skipIf(!program("chromium"))("a durable outbox in a browser", () => {
  let browser: Browser
  let context: BrowserContext
  let script: string

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [fileURLToPath(new URL("outbox-page.ts", import.meta.url))],
      bundle: true,
      format: "esm",
      write: false,
    })
    script = bundle.outputFiles[0]?.text ?? ""
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())
  beforeEach(async () => {
    context = await browser.newContext()
    return () => context.close()
  })

  /** A server of the page, and of a hub that can be out of reach, or get out of reach once it has taken a message. */
  async function serve() {
    const server = createServer((request, response) => {
      const isScript = request.url === "/page.js"
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html")
      response.end(isScript ? script : `<!doctype html><script type="module" src="/page.js"></script>`)
    })
    let reachable = false
    let losesAnswers = false
    server.on("upgrade", (_, socket) => {
      if (!reachable) socket.destroy()
    })
    const hub = createHub(app, {
      channels: {
        "room/:room": {
          events: {
            said: ({ data }) => {
              if (losesAnswers) leave()
              return data
            },
          },
        },
      },
    })
    hub.attach(server)
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const leave = () => {
      reachable = false
      for (const connection of hub.connections()) connection.drop()
    }
    const reach = () => {
      losesAnswers = false
      reachable = true
    }
    onTestFinished(async () => {
      await hub.close()
      server.closeAllConnections()
      server.close()
    })
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      reach,
      leave,
      loseAnswers: () => {
        losesAnswers = true
      },
      said: async () =>
        (await hub.channel("room/:room", { room: "lobby" }).history({ last: 100 })).map(({ data }) => data),
    }
  }

  const open = async (url: string) => {
    const page = await context.newPage()
    await page.goto(url)
    return page
  }
  const publish = (page: Page, texts: readonly string[]) =>
    page.evaluate((all) => {
      for (const text of all) window.outboxPage.publish(text)
    }, texts)
  const untilPending = (page: Page, count: number) =>
    page.waitForFunction((wanted) => window.outboxPage.pending() === wanted, count)
  /** What a page that is opened now would be given. */
  const kept = (page: Page) =>
    page.evaluate(
      () =>
        new Promise<unknown[]>((resolve) => {
          const opening = indexedDB.open("holdfast-outbox:test")
          // it is not there yet, and is not to be made here, where it would lack everything
          opening.onupgradeneeded = () => opening.transaction?.abort()
          opening.onerror = () => resolve([])
          opening.onsuccess = () => {
            const all = opening.result.transaction("entries").objectStore("entries").getAll()
            all.onsuccess = () => {
              opening.result.close()
              resolve(all.result.map(({ message }) => message.data))
            }
          }
        }),
    )
  const untilKept = (page: Page, texts: readonly string[]) => expect.poll(() => kept(page)).toEqual(texts)

  test("what was published without a server survives a reload, and is in the log once, in order, before what is new", async () => {
    const { url, reach, said } = await serve()
    const page = await open(url)
    await publish(page, ["one", "two", "three"])
    await untilKept(page, ["one", "two", "three"])
    await page.reload()
    await untilPending(page, 3)
    await publish(page, ["four"])
    await untilKept(page, ["one", "two", "three", "four"])
    await page.reload()
    await publish(page, ["five"])
    await untilPending(page, 5)
    reach()
    await untilPending(page, 0)
    expect(await said()).toEqual(["one", "two", "three", "four", "five"])
    expect(await page.evaluate(() => window.outboxPage.answered)).toEqual(["five"])
    await untilKept(page, [])
    expect(await page.evaluate(() => window.outboxPage.errors)).toEqual([])
  })

  test("what was taken by a server whose answer was lost is not published twice", async () => {
    const { url, reach, loseAnswers, said } = await serve()
    reach()
    const page = await open(url)
    await publish(page, ["zero"])
    await expect.poll(() => page.evaluate(() => window.outboxPage.answered)).toEqual(["zero"])
    loseAnswers()
    await publish(page, ["one"])
    await expect.poll(said).toEqual(["zero", "one"])
    await untilPending(page, 1)
    await publish(page, ["two"])
    await untilKept(page, ["one", "two"])
    await page.reload()
    await untilPending(page, 2)
    reach()
    await untilPending(page, 0)
    expect(await said()).toEqual(["zero", "one", "two"])
  })

  test("a second tab does not get it, says so, and publishes all the same", async () => {
    const { url, reach, said } = await serve()
    const first = await open(url)
    await publish(first, ["first"])
    await untilKept(first, ["first"])
    const second = await open(url)
    await expect.poll(() => second.evaluate(() => window.outboxPage.errors)).toEqual(["storage_failed"])
    await publish(second, ["second"])
    reach()
    await Promise.all([untilPending(first, 0), untilPending(second, 0)])
    expect((await said()).toSorted()).toEqual(["first", "second"])
    // once the first is gone, it can be had
    await first.close()
    await second.reload()
    await second.waitForFunction(() => window.outboxPage.status() === "open")
    expect(await second.evaluate(() => window.outboxPage.errors)).toEqual([])
  })

  test("what a client that was closed had given up is not sent by the next page", async () => {
    const { url, reach, said } = await serve()
    const page = await open(url)
    await publish(page, ["one"])
    await untilKept(page, ["one"])
    await page.evaluate(() => window.outboxPage.close())
    await untilKept(page, [])
    await page.reload()
    reach()
    await publish(page, ["two"])
    await untilPending(page, 0)
    await expect.poll(said).toEqual(["two"])
  })
})
