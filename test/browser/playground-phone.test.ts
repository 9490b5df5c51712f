import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { program } from "../support/program.ts"
import { openTab, type Tab, untilText } from "./playground-page.ts"
import { type PlaygroundProcess, startPlayground } from "./playground-process.ts"

describe.skipIf(!program("chromium"))("the playground on a phone", () => {
  let playground: PlaygroundProcess
  let browser: Browser
  let phone: Tab

  beforeAll(async () => {
    playground = await startPlayground()
    browser = await launchChromium()
    const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true })
    phone = await openTab(context, playground.url, "Walter of the Long Name")
  })

  afterAll(async () => {
    await browser?.close()
    await playground?.end("SIGKILL")
  })

  it.each(["proof", "chat", "market"])(
    "shows the panel %s alone, and nothing sticks out of it",
    async (panel) => {
      await phone.page.locator(`[data-show="${panel}"]`).click()
      expect(
        await phone.page.locator("main > .panel:visible").evaluateAll((all) => all.map(({ id }) => id)),
      ).toEqual([panel])
      expect(await phone.page.evaluate(stickingOut)).toEqual([])
    },
  )

  it("counts on the bar what was said while another panel was shown", async () => {
    const other = await openTab(browser, playground.url, "Bob Reef")
    await other.say("Are you there?")
    await untilText(phone.page, "#unread", "1")
    await phone.page.locator('[data-show="chat"]').click()
    expect(await phone.page.locator("#unread").isVisible()).toBe(false)
    await phone.untilSaid("Are you there?")
  })

  it("breaks and mends as on a large screen", async () => {
    await phone.page.locator('[data-show="proof"]').click()
    await phone.untilBackAfter(() => phone.breakBy("cut"))
    expect(await phone.untilAllArrived()).toMatchObject({ duplicates: 0, gaps: 0 })
    expect(phone.errors).toEqual([])
  })

  it.each([
    [1366, 768],
    [1440, 900],
    [820, 1180],
    [320, 568],
  ])("overflows sideways nowhere at %i x %i either", async (width, height) => {
    await phone.page.setViewportSize({ width, height })
    expect(await phone.page.evaluate(stickingOut)).toEqual([])
  })
})

/** What is seen beyond the right edge of the screen, unless its own box hides or scrolls it. */
function stickingOut(): string[] {
  const found = document.documentElement.scrollWidth > innerWidth ? ["the page"] : []
  for (const one of document.querySelectorAll("header *, main *, nav *")) {
    if (one.closest(".visually-hidden") !== null || one.closest(".uplot") !== null) continue
    const { right, left, width } = one.getBoundingClientRect()
    if (width > 0 && (right > innerWidth + 0.5 || left < -0.5))
      found.push(`${one.tagName} #${one.id} .${one.className}`)
  }
  return found
}
