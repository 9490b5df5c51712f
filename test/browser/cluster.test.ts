import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Browser } from "playwright-core"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { launchChromium } from "../support/chromium.ts"
import { isAlive } from "../support/is-alive.ts"
import { program } from "../support/program.ts"
import { openTab } from "./playground-page.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const canRun = program("chromium") !== undefined && program("redis-server") !== undefined

describe.skipIf(!canRun)("npm run cluster", () => {
  let cluster: ChildProcess
  let browser: Browser
  const said: string[] = []
  let wake = () => {}
  const until = async (text: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const found = text.exec(said.join("\n"))
      if (found !== null) return found
      if (cluster.exitCode !== null)
        throw new Error(`it has ended with ${cluster.exitCode}:\n${said.join("\n")}`)
      await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const pidOf = (name: string) =>
    Number(new RegExp(`${name} .*pid (\\d+)`).exec(said.join("\n"))?.[1] ?? Number.NaN)

  beforeAll(async () => {
    cluster = spawn(process.execPath, ["scripts/cluster.mjs"], {
      cwd: root,
      env: { ...process.env, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    })
    createInterface({ input: cluster.stdout as NodeJS.ReadableStream }).on("line", (line) => {
      said.push(line)
      wake()
    })
    cluster.once("exit", () => wake())
    await until(/Ctrl-C ends everything/)
    browser = await launchChromium()
  })

  afterAll(async () => {
    await browser?.close()
    if (cluster.exitCode === null) cluster.kill("SIGKILL")
  })

  it("shows which node serves a tab, and what happens when that is killed", async () => {
    const [, url] = await until(/playground +(http:\S+)/)
    const tab = await openTab(browser, url as string, "Ada")
    const nodeOf = async () => {
      const status = await tab.page.waitForFunction(() =>
        /Connected to (node \d) \(pid (\d+)\)/
          .exec(document.querySelector("#status-text")?.textContent ?? "")
          ?.slice(1),
      )
      const [name, pid] = (await status.jsonValue()) as [string, string]
      return { name, pid: Number(pid) }
    }
    const before = await nodeOf()
    expect(before.pid).toBe(pidOf(before.name))
    await tab.untilAllArrived(20)
    await tab.untilBackAfter(async () => void process.kill(before.pid, "SIGKILL"))
    await tab.page.waitForFunction(
      (name) => document.querySelector("#status-text")?.textContent?.includes(name) === false,
      before.name,
    )
    expect((await nodeOf()).name).not.toBe(before.name)
    const account = await tab.untilAllArrived(40)
    expect(account).toMatchObject({ gaps: 0, tone: "good" })
    await until(new RegExp(`${before.name} is back`))
    expect(tab.errors.filter((error) => !error.includes("WebSocket"))).toEqual([])
  })

  it("ends everything that it has started", async () => {
    const pids = ["node 1", "node 2", "node 3", "Redis"].map(pidOf)
    const exited = once(cluster, "exit")
    cluster.kill("SIGINT")
    expect(await exited).toEqual([0, null])
    expect(pids.filter(isAlive)).toEqual([])
  })
})
