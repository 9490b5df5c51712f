import axeCore, { type AxeResults, type RunOptions } from "axe-core"
import type { Browser, BrowserContext, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { program } from "../support/program.ts"
import { openTab, type Tab, untilText } from "./playground-page.ts"
import { type PlaygroundProcess, startPlayground } from "./playground-process.ts"

const SCHEMES = ["light", "dark"] as const
const PANELS = ["proof", "chat", "market"] as const

describe.skipIf(!program("chromium")).each([
  ["a phone", { width: 390, height: 844 }],
  ["a desktop", { width: 1366, height: 768 }],
])("the accessibility of the playground on %s", (_, viewport) => {
  let playground: PlaygroundProcess
  let browser: Browser
  let context: BrowserContext
  let tab: Tab

  beforeAll(async () => {
    playground = await startPlayground()
    browser = await launchChromium()
    context = await browser.newContext({ viewport })
    tab = await openTab(context, playground.url, "Ada Shore")
    // A script element would be refused by the content security policy of the page.
    await tab.page.evaluate(axeCore.source)
  })

  afterAll(async () => {
    await browser?.close()
    await playground?.end("SIGKILL")
  })

  it("has no findings when the page is fresh", async () => {
    await tab.untilAllArrived()
    expect(await findings(tab.page)).toEqual([])
  })

  it("has no findings while the code is shown", async () => {
    for (const panel of PANELS) {
      await showPanel(tab.page, panel)
      await tab.page.locator(`#${panel} .code summary`).click()
      expect(await findings(tab.page, [panel])).toEqual([])
      await tab.page.keyboard.press("Escape")
    }
  })

  it("has no findings offline", async () => {
    await showPanel(tab.page, "chat")
    await tab.say("Hello")
    await tab.untilSaid("Hello")
    await tab.untilBackAfter(async () => {
      await showPanel(tab.page, "proof")
      await tab.breakBy("offline-15")
      await untilText(tab.page, "#status-text", "Offline on purpose")
      await untilText(tab.page, "#prices-age", "Not live")
      expect(await findings(tab.page)).toEqual([])
    })
  })

  it("has no findings when the server was killed", async () => {
    await playground.end("SIGKILL")
    await untilText(tab.page, "#status-text", "Not connected, next try in")
    await untilText(tab.page, "#prices-age", "Not live")
    expect(await findings(tab.page)).toEqual([])
  })
})

/** What axe finds in both colour schemes; on a phone, in one panel after the other. */
async function findings(page: Page, panels: readonly string[] = PANELS): Promise<string[]> {
  const found: string[] = []
  const isPhone = await page.locator(".tabs").isVisible()
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme })
    for (const panel of isPhone ? panels : panels.slice(0, 1)) {
      await showPanel(page, panel)
      found.push(...(await violations(page)).map((text) => `${colorScheme}, ${panel}: ${text}`))
    }
  }
  return found
}

async function showPanel(page: Page, panel: string): Promise<void> {
  const button = page.locator(`[data-show="${panel}"]`)
  if (await button.isVisible()) await button.click()
}

function violations(page: Page): Promise<string[]> {
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: { run: (options: RunOptions) => Promise<AxeResults> } }
    const results = await axe.run({ resultTypes: ["violations"] })
    return results.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, any }) => `${id} ${target.join(" ")} ${any[0]?.message ?? ""}`),
    )
  })
}
