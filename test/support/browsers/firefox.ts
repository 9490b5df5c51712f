import puppeteer from "puppeteer-core"
import { program } from "../program.ts"
import type { TestBrowser } from "./browser.ts"

/** Over WebDriver BiDi. */
export async function launchFirefox(): Promise<TestBrowser> {
  const browser = await puppeteer.launch({
    browser: "firefox",
    executablePath: program("firefox") ?? "",
    headless: true,
    // The test has a timeout of its own.
    timeout: 0,
    protocolTimeout: 0,
  })
  return {
    async open(url) {
      const page = await browser.newPage()
      page.setDefaultTimeout(0)
      await page.goto(url)
      return {
        evaluate: <T>(expression: string) => page.evaluate(expression) as Promise<T>,
        reload: async () => void (await page.reload()),
        close: () => page.close(),
      }
    },
    close: () => browser.close(),
  }
}
