import type { Browser, BrowserContext, Page } from "playwright-core"

/** What the page's account says, as numbers where they are some. */
export interface Account {
  readonly connection: string
  readonly missed: number
  readonly replayed: number
  readonly duplicates: number
  readonly gaps: number
  readonly tone: string
  readonly verdict: string
  readonly arrived: number
  readonly published: number
}

/** One tab of the playground, and what its person sees of it. */
export interface Tab {
  readonly page: Page
  /** Errors on the console, and those that nobody caught. */
  readonly errors: string[]
  readonly account: () => Promise<Account>
  /** Resolves when the connection was lost and is back again, as the page tells those who cannot see it. */
  readonly untilBackAfter: (work: () => Promise<unknown>) => Promise<void>
  /** Resolves when everything that was published has arrived, and at least so much of it. */
  readonly untilAllArrived: (atLeast?: number) => Promise<Account>
  readonly breakBy: (what: string) => Promise<void>
  readonly say: (text: string) => Promise<void>
  readonly untilSaid: (text: string) => Promise<void>
  readonly messages: () => Promise<string[]>
}

/** Opens a tab for a person of this name, and waits until it is connected. */
export async function openTab(context: BrowserContext | Browser, url: string, name: string): Promise<Tab> {
  const page = await context.newPage()
  const errors: string[] = []
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(message.text())
  })
  page.on("pageerror", (error) => errors.push(String(error)))
  const tab = tabOf(page, errors)
  await page.addInitScript((name) => {
    const storedAs = "holdfast-playground-name"
    if (sessionStorage.getItem(storedAs) === null) sessionStorage.setItem(storedAs, name)
  }, name)
  await page.goto(url)
  await untilText(page, "#status-text", "Connected")
  return tab
}

/** Resolves when the element holds this text. */
export async function untilText(page: Page, selector: string, text: string): Promise<void> {
  await page.waitForFunction(
    ([selector, text]) => document.querySelector(selector)?.textContent?.includes(text) === true,
    [selector, text] as const,
  )
}

function tabOf(page: Page, errors: string[]): Tab {
  const account = () => page.evaluate(readAccount)
  return {
    page,
    errors,
    account,
    untilBackAfter: async (work) => {
      await page.evaluate(() => document.querySelector("#announcer")?.replaceChildren())
      await work()
      await untilText(page, "#announcer", "Connected again.")
    },
    untilAllArrived: async (atLeast = 1) => {
      await page.waitForFunction((atLeast) => {
        const [arrived, published] = (document.querySelector("#verdict-figure")?.textContent ?? "")
          .replaceAll(",", "")
          .split(" of ")
          .map(Number)
        const isGood = document.querySelector<HTMLElement>("#verdict")?.dataset.tone === "good"
        return isGood && arrived === published && (arrived ?? 0) >= atLeast
      }, atLeast)
      return account()
    },
    breakBy: (what) => page.locator(`[data-lab="${what}"]`).click(),
    say: async (text) => {
      await page.fill("#text", text)
      await page.press("#text", "Enter")
    },
    untilSaid: async (text) => {
      await page.waitForFunction(
        (text) =>
          [...document.querySelectorAll(".message:not(.pending) .message-text")].some(
            (one) => one.textContent === text,
          ),
        text,
      )
    },
    messages: () => page.locator(".message:not(.pending) .message-text").allTextContents(),
  }
}

function readAccount(): Account {
  const text = (selector: string) => document.querySelector(selector)?.textContent ?? ""
  const figure = (name: string) => Number(text(`[data-account="${name}"]`).replaceAll(",", ""))
  const [arrived, published] = text("#verdict-figure").replaceAll(",", "").split(" of ").map(Number)
  return {
    connection: text('[data-account="state"]'),
    missed: figure("missed"),
    replayed: figure("replayed"),
    duplicates: figure("duplicates"),
    gaps: figure("gaps"),
    tone: document.querySelector<HTMLElement>("#verdict")?.dataset.tone ?? "",
    verdict: text("#verdict-text"),
    arrived: arrived ?? 0,
    published: published ?? 0,
  }
}
