import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { connect } from "node:net"
import type { Readable } from "node:stream"
import { Builder, Capabilities, type WebDriver } from "selenium-webdriver"
import { freePort } from "../free-port.ts"
import { program } from "../program.ts"
import type { TestBrowser, TestPage } from "./browser.ts"

/** The GTK port of WebKit, in its MiniBrowser, which has no headless mode: on a screen that nobody sees. */
export async function launchWebkit(): Promise<TestBrowser> {
  const children: ChildProcess[] = []
  const end = async () => {
    for (const child of children.reverse()) {
      const exited = once(child, "exit")
      if (child.exitCode === null && child.kill()) await exited
    }
  }
  try {
    const display = await startScreen(children)
    const port = await startDriver(children, display)
    const capabilities = new Capabilities({
      browserName: "MiniBrowser",
      "webkitgtk:browserOptions": { binary: program("minibrowser"), args: ["--automation"] },
    })
    const driver = await new Builder()
      .usingServer(`http://127.0.0.1:${port}`)
      .withCapabilities(capabilities)
      .build()
    // The test has a timeout of its own.
    await driver.manage().setTimeouts({ script: 3_600_000, pageLoad: 3_600_000 })
    const { open } = tabsOf(driver, await driver.getWindowHandle())
    return {
      open,
      async close() {
        await driver.quit()
        await end()
      },
    }
  } catch (error) {
    await end()
    throw error
  }
}

/** The driver looks at one tab at a time, so everything that is asked of tabs waits for its turn. */
function tabsOf(driver: WebDriver, first: string): Pick<TestBrowser, "open"> {
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }
  const open = (url: string) =>
    inTurn(async (): Promise<TestPage> => {
      // the tab that was looked at last may be gone
      await driver.switchTo().window(first)
      await driver.switchTo().newWindow("tab")
      const handle = await driver.getWindowHandle()
      await driver.get(url)
      const inTab = <T>(work: () => Promise<T>) =>
        inTurn(async () => {
          await driver.switchTo().window(handle)
          return work()
        })
      return {
        evaluate: (expression) => inTab(() => evaluate(driver, expression)),
        reload: () => inTab(() => driver.navigate().refresh()),
        close: () => inTab(() => driver.close()),
      }
    })
  return { open }
}

async function evaluate<T>(driver: WebDriver, expression: string): Promise<T> {
  const { error, value } = await driver.executeAsyncScript<{ readonly error?: string; readonly value: T }>(
    `const done = arguments[arguments.length - 1]
     Promise.resolve().then(() => (${expression})).then((value) => done({ value }), (error) => done({ error: String(error) }))`,
  )
  if (error !== undefined) throw new Error(`${error}, of ${expression}`)
  return value
}

/** Resolves with the name of a display of its own. */
async function startScreen(children: ChildProcess[]): Promise<string> {
  const args = ["-displayfd", "3", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
  const child = spawn(program("xvfb") ?? "", args, { stdio: ["ignore", "ignore", "ignore", "pipe"] })
  children.push(child)
  const [line] = await once(child.stdio[3] as Readable, "data")
  return `:${String(line).trim()}`
}

/** Resolves with its port, when it listens. */
async function startDriver(children: ChildProcess[], display: string): Promise<number> {
  const port = await freePort()
  const env = { ...process.env, DISPLAY: display, WEBKIT_DISABLE_COMPOSITING_MODE: "1" }
  const child = spawn(program("webkit-driver") ?? "", [`--port=${port}`], { env, stdio: "ignore" })
  children.push(child)
  for (;;) {
    if (child.exitCode !== null) throw new Error("WebKitWebDriver has ended before it listened")
    if (await isListening(port)) return port
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => resolve(true))
    socket.once("error", () => resolve(false))
    socket.once("connect", () => socket.destroy())
  })
}
