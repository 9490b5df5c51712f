import type { Browser, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { type Example, runExample } from "../examples/example.ts"
import { launchChromium } from "../support/chromium.ts"
import { program } from "../support/program.ts"

/** A laptop and a phone. */
const SCREENS = [
  { width: 1366, height: 768 },
  { width: 390, height: 844 },
]

describe.skipIf(!program("chromium"))("the chat in React", () => {
  let browser: Browser

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser?.close())

  const enter = async (example: Example | string, name: string, viewport = SCREENS[0]!) => {
    const url = typeof example === "string" ? example : ((await example.line(/at (http:.*)\?/))[1] as string)
    const page = await browser.newPage({ viewport })
    const problems: string[] = []
    page.on("pageerror", ({ message }) => problems.push(message))
    onTestFinished(async () => {
      await page.close()
      expect(problems).toEqual([])
    })
    await page.goto(`${url}?name=${name}`)
    return { page, url }
  }
  const say = async (page: Page, text: string) => {
    await page.getByLabel("Message").fill(text)
    await page.getByRole("button", { name: "Send", exact: true }).click()
  }

  test("two people talk, see each other and that the other types, and find what was said in each room", async () => {
    const { page: ada, url } = await enter(runExample("react/server.ts"), "Ada")
    const { page: bob } = await enter(url, "Bob", SCREENS[1])
    await expect.poll(() => ada.textContent(".here")).toMatch(/^(Ada, Bob|Bob, Ada)$/)
    await bob.getByLabel("Message").pressSequentially("Hi")
    await ada.getByText("Bob typing").waitFor()
    await bob.getByRole("button", { name: "Send", exact: true }).click()
    await ada.locator("li", { hasText: "Hi" }).waitFor()
    await say(ada, "Welcome")
    await bob.locator("li", { hasText: "Welcome" }).waitFor()
    await bob.getByRole("button", { name: "kitchen" }).click()
    await say(bob, "Anybody here?")
    await bob.locator("li", { hasText: "Anybody here?" }).waitFor()
    expect(await bob.locator("li").count()).toBe(1)
    await bob.getByRole("button", { name: "lobby" }).click()
    await expect.poll(() => bob.locator("li").count()).toBe(2)
  })

  test.each(SCREENS)("it fits a screen of $width x $height", async (viewport) => {
    const { page } = await enter(runExample("react/server.ts"), "Ada", viewport)
    for (let n = 1; n <= 30; n++)
      await say(page, `${n}, a message that is long enough to be broken in two lines on a phone`)
    await expect.poll(() => page.locator("li").count()).toBe(30)
    const { scrolls, input } = await page.evaluate(() => ({
      scrolls:
        document.documentElement.scrollWidth > innerWidth ||
        document.documentElement.scrollHeight > innerHeight,
      input: document.querySelector("form")?.getBoundingClientRect().bottom ?? 0,
    }))
    expect(scrolls).toBe(false)
    expect(input).toBeLessThanOrEqual(viewport.height)
    await expect.poll(() => page.locator("li").last().isVisible()).toBe(true)
  })
})
