import type { Browser, BrowserContext } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { program } from "../support/program.ts"
import { openTab, type Tab, untilText } from "./playground-page.ts"
import { type PlaygroundProcess, startPlayground } from "./playground-process.ts"

describe.skipIf(!program("chromium"))("the playground in two tabs", () => {
  let playground: PlaygroundProcess
  let browser: Browser
  let context: BrowserContext
  let ada: Tab
  let bob: Tab

  beforeAll(async () => {
    playground = await startPlayground()
    browser = await launchChromium()
    context = await browser.newContext({ viewport: { width: 1366, height: 768 } })
    ada = await openTab(context, playground.url, "Ada Shore")
    bob = await openTab(context, playground.url, "Bob")
  })

  afterAll(async () => {
    await browser?.close()
    await playground?.end("SIGKILL")
  })

  it("shows each tab who is here, by the names they choose", async () => {
    await untilText(ada.page, "#people", "Bob")
    await bob.page.fill("#name", "  Bob   Reef ")
    await bob.page.press("#name", "Enter")
    expect(await bob.page.locator("#name").inputValue()).toBe("Bob Reef")
    for (const { page } of [ada, bob]) {
      await untilText(page, "#here", "2 here")
      await untilText(page, "#people", "Ada Shore")
      await untilText(page, "#people", "Bob Reef")
    }
  })

  it("shows one tab that the other types", async () => {
    await ada.page.locator("#text").pressSequentially("Hel")
    await untilText(bob.page, "#typing", "Ada Shore is typing…")
    expect((await ada.page.locator("#typing").textContent())?.trim()).toBe("")
  })

  it("delivers what is said to both, once", async () => {
    await ada.say("Hello from the shore")
    await bob.untilSaid("Hello from the shore")
    await bob.say("Hello from the reef")
    await ada.untilSaid("Hello from the reef")
    for (const tab of [ada, bob]) {
      expect(await tab.messages()).toEqual(["Hello from the shore", "Hello from the reef"])
      expect(await tab.page.locator(".pending").count()).toBe(0)
    }
    await untilText(bob.page, "#typing", "\u00a0")
  })

  it("shows what was said before to somebody who joins, and that they leave", async () => {
    const eve = await openTab(context, playground.url, "Eve Late")
    await eve.untilSaid("Hello from the reef")
    expect(await eve.messages()).toEqual(["Hello from the shore", "Hello from the reef"])
    await untilText(ada.page, "#here", "3 here")
    await eve.page.close()
    await untilText(ada.page, "#here", "2 here")
  })

  it("moves the market, and draws the symbol that was chosen", async () => {
    const price = ada.page.locator("#headline-price")
    await ada.page.waitForFunction(() =>
      /\d/.test(document.querySelector("#headline-price")?.textContent ?? ""),
    )
    const before = await price.textContent()
    await ada.page.waitForFunction(
      (before) => document.querySelector("#headline-price")?.textContent !== before,
      before,
    )
    await ada.page.getByRole("button", { name: "REEF" }).click()
    await untilText(ada.page, "#headline-name", "Reef Optics")
    expect(await ada.page.locator("#chart canvas").count()).toBe(1)
    await ada.page.waitForFunction(
      () => Number.parseInt(document.querySelector("#rate")?.textContent ?? "", 10) > 0,
    )
  })

  it("loses nothing when its connection is cut", async () => {
    await ada.untilAllArrived()
    await ada.untilBackAfter(() => ada.breakBy("cut"))
    const account = await ada.untilAllArrived()
    expect(account).toMatchObject({ duplicates: 0, gaps: 0 })
    expect(account.replayed).toBe(account.missed)
  })

  it("catches up with what it missed offline, and sends then what was written meanwhile", async () => {
    const before = await ada.account()
    await ada.untilBackAfter(async () => {
      await ada.breakBy("offline-5")
      await untilText(ada.page, "#status-text", "Offline on purpose")
      await untilText(ada.page, "#verdict-text", "Not connected: the rest is unknown.")
      await untilText(ada.page, '[data-account="missed"]', "unknown")
      await untilText(ada.page, "#prices-age", "Not live since")
      await untilText(ada.page, "#here", "2 were here")
      await ada.say("Written in the dark")
      await untilText(ada.page, ".pending .message-time", "will be sent when connected")
    })
    const account = await ada.untilAllArrived(before.arrived + 100)
    expect(account).toMatchObject({ duplicates: 0, gaps: 0 })
    expect(account.replayed).toBeGreaterThan(before.replayed)
    expect(account.replayed).toBe(account.missed)
    await bob.untilSaid("Written in the dark")
    await ada.untilSaid("Written in the dark")
    for (const tab of [ada, bob]) {
      expect((await tab.messages()).filter((text) => text === "Written in the dark")).toHaveLength(1)
    }
  })

  it("falls behind when it stops reading, and catches up from the log", async () => {
    const before = await ada.account()
    await ada.breakBy("stop")
    await untilText(ada.page, "#verdict-text", "Nothing new for")
    await untilText(ada.page, "#lab-note", "read the rest from its log")
    const account = await ada.untilAllArrived(before.arrived + 100)
    expect(account).toMatchObject({ duplicates: 0, gaps: 0, connection: "open", replayed: before.replayed })
    const heldKilobytes = Number.parseInt(
      (await ada.page.locator("#lab-note").textContent())?.match(/\d+ KB/)?.[0] ?? "",
      10,
    )
    // What came in these seconds is far more: the rest was never held for this tab, but read from the log.
    expect(heldKilobytes).toBeGreaterThan(0)
    expect(heldKilobytes).toBeLessThan(80)
  })

  it("loses nothing when the server drops everybody", async () => {
    await ada.untilBackAfter(() => bob.untilBackAfter(() => ada.breakBy("drop")))
    for (const tab of [ada, bob]) {
      const account = await tab.untilAllArrived()
      expect(account).toMatchObject({ duplicates: 0, gaps: 0 })
      expect(account.replayed).toBe(account.missed)
      await untilText(tab.page, "#here", "2 here")
    }
  })

  it("counts a burst of 500 in full", async () => {
    const before = await bob.account()
    await ada.breakBy("burst")
    await untilText(ada.page, "#lab-note", "500 events published at once.")
    expect(await bob.untilAllArrived(before.arrived + 500)).toMatchObject({ duplicates: 0, gaps: 0 })
  })

  it("keeps its name when it is loaded anew", async () => {
    await bob.page.reload()
    await untilText(bob.page, "#people", "Bob Reef")
    expect(await bob.page.locator("#name").inputValue()).toBe("Bob Reef")
    await untilText(bob.page, "#here", "2 here")
  })

  it("has had nothing to complain of on the console", () => {
    expect(ada.errors).toEqual([])
    expect(bob.errors).toEqual([])
  })

  it("disables what needs a connection while there is none, with the reason", async () => {
    const disabled = ada.page.locator('[data-lab][aria-disabled="true"]')
    await ada.untilBackAfter(async () => {
      await ada.breakBy("offline-5")
      await untilText(ada.page, "#lab-note", "only “Go offline” works")
      expect(await disabled.evaluateAll((all) => all.map((one) => one.getAttribute("data-lab")))).toEqual([
        "cut",
        "stop",
        "drop",
        "burst",
      ])
      await disabled.last().click({ force: true })
      await untilText(ada.page, "#lab-note", "Not connected")
    })
    expect(await disabled.count()).toBe(0)
  })

  it("shows the code behind a panel, and closes it by the button", async () => {
    for (const [panel, code] of [
      ["proof", 'pulse.on("beat"'],
      ["chat", 'room.on("said"'],
      ["market", "quotes.onChange"],
    ] as const) {
      const body = ada.page.locator(`#${panel} .code-body`)
      await ada.page.locator(`#${panel} .code summary`).click()
      expect(await body.textContent()).toContain(code)
      await body.getByRole("button", { name: "Close" }).click()
      expect(await body.isVisible()).toBe(false)
    }
  })

  it("goes on where it stood when the server was killed and started again", async () => {
    const before = await ada.account()
    await ada.say("Written before the crash")
    await bob.untilSaid("Written before the crash")
    await playground.end("SIGKILL")
    await untilText(ada.page, "#status-text", "Not connected, next try in")
    await ada.say("Written during the crash")
    await ada.untilBackAfter(async () => {
      playground = await startPlayground(playground.port, playground.folder)
    })
    await bob.untilSaid("Written during the crash")
    expect(await ada.untilAllArrived(before.arrived + 1)).toMatchObject({ duplicates: 0, gaps: 0 })
    await ada.page.reload()
    await ada.untilSaid("Written before the crash")
    await untilText(ada.page, "#here", "2 here")
  })

  it("comes back to a server whose log is gone, and says so", async () => {
    await playground.end("SIGKILL")
    await untilText(ada.page, "#status-text", "Not connected, next try in")
    await ada.say("Written to nobody")
    await untilText(ada.page, ".pending .message-text", "Written to nobody")
    await ada.untilBackAfter(async () => {
      playground = await startPlayground(playground.port)
    })
    await untilText(ada.page, "#verdict-text", "the server began a new log")
    expect(await ada.account()).toMatchObject({ tone: "told", gaps: 1, duplicates: 0 })
    await ada.untilSaid("Written to nobody")
    await bob.untilSaid("Written to nobody")
    await untilText(ada.page, "#here", "2 here")
    expect(ada.errors.filter((text) => !text.includes("WebSocket connection to"))).toEqual([])
  })
})
