import { execFile, spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { createHub } from "holdfast/server"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { RUNTIMES } from "../../scripts/runtimes.mjs"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { startWebSocketTrap } from "../support/websocket-trap.ts"
import { app, options, type User } from "./app.ts"
import { createProject } from "./project.ts"

const SUITE = "suite.mjs"

const CASES = [
  "connects with a token, and tells that one was refused",
  "publishes, and hears what is published, in order",
  "loses and doubles nothing when its WebSocket is cut",
  "loses and doubles nothing when its stream of events is cut",
  "loses and doubles nothing when its polls are cut",
  "goes on over plain HTTP where WebSockets are swallowed",
  "says what is missing where there is no WebSocket, or goes over plain HTTP",
  "carries bytes, in both codecs",
  "calls, and gets a result or a typed error",
  "holds the state, also what others set",
  "sees who is there, and is seen",
  "sends signals",
]

/** What stands before the file's name. Deno is given the one permission that client and server need. */
const ARGS: Readonly<Record<string, readonly string[]>> = {
  HOLDFAST_BUN: ["run"],
  HOLDFAST_DENO: ["run", "--no-prompt", "--allow-net=127.0.0.1"],
}

/** Runtimes whose servers have the Fetch standard, and Node for the client: cases that need no WebSocket. */
const HTTP_RUNTIMES = ["HOLDFAST_BUN", "HOLDFAST_DENO"] as const
const HTTP_CASES = [
  "loses and doubles nothing when its stream of events is cut",
  "loses and doubles nothing when its polls are cut",
]
const HTTP_SERVER = "http-server.mjs"

let project: ReturnType<typeof createProject>
beforeAll(async () => {
  project = createProject([SUITE])
  await build({
    entryPoints: [fileURLToPath(new URL("http-server.ts", import.meta.url))],
    outfile: join(project.folder, HTTP_SERVER),
    bundle: true,
    format: "esm",
    // Anything of Node but this would not be found.
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["node:crypto"],
  })
})
afterAll(() => project.remove())

/** A server of Node behind a line that the other process can have cut. */
async function startNodeServer() {
  const hub = createHub<typeof app, User>(app, options)
  onTestFinished(() => hub.close())
  return cuttable((await hub.listen({ port: 0 })).port)
}

/** The same over plain HTTP, on a server of another runtime. */
async function startHttpServer(variable: (typeof HTTP_RUNTIMES)[number]) {
  const args = [...(ARGS[variable] ?? []), HTTP_SERVER]
  const server = spawn(process.env[variable] as string, args, {
    cwd: project.folder,
    stdio: ["pipe", "pipe", "inherit"],
  })
  onTestFinished(() => void server.kill())
  for await (const line of createInterface(server.stdout)) {
    const [, port] = /^port (\d+)$/.exec(line) ?? []
    if (port !== undefined) return cuttable(Number(port))
  }
  throw new Error("the server ended before it listened")
}

async function cuttable(port: number) {
  const line = await startTcpProxy(port)
  onTestFinished(() => line.close())
  const control = createServer((request, response) => {
    if (request.url === "/cut") line.cut()
    response.end()
  })
  await new Promise<void>((resolve) => control.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void control.close())
  const trap = await startWebSocketTrap(line.port, "nothing")
  onTestFinished(() => trap.close())
  return [
    `ws://127.0.0.1:${line.port}`,
    `ws://127.0.0.1:${trap.port}`,
    `http://127.0.0.1:${(control.address() as AddressInfo).port}`,
  ] as const
}

for (const [variable, { name, version }] of Object.entries(RUNTIMES)) {
  const executable = process.env[variable]
  describe.skipIf(executable === undefined)(`the client in ${name} ${version}`, () => {
    test.each(CASES)("%s", async (title) => {
      const addresses = await startNodeServer()
      const args = [...(ARGS[variable] ?? []), SUITE, title, ...addresses]
      const { stdout } = await promisify(execFile)(executable as string, args, { cwd: project.folder })
      expect(stdout).toContain(`done: ${title}`)
    })
  })
}

for (const variable of HTTP_RUNTIMES) {
  const { name, version } = RUNTIMES[variable]
  describe.skipIf(process.env[variable] === undefined)(`plain HTTP of a hub in ${name} ${version}`, () => {
    test.each(HTTP_CASES)("its client %s", async (title) => {
      const addresses = await startHttpServer(variable)
      const args = [SUITE, title, ...addresses]
      const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: project.folder })
      expect(stdout).toContain(`done: ${title}`)
    })
  })
}
