import { launchChromium as launch } from "../chromium.ts"
import type { TestBrowser } from "./browser.ts"

export async function launchChromium(): Promise<TestBrowser> {
  const browser = await launch()
  const context = await browser.newContext()
  return {
    async open(url) {
      const page = await context.newPage()
      await page.goto(url)
      return {
        evaluate: (expression) => page.evaluate(expression),
        reload: async () => void (await page.reload()),
        close: () => page.close(),
      }
    },
    close: () => browser.close(),
  }
}
