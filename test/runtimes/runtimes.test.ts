import { execFile } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { RUNTIMES } from "../../scripts/runtimes.mjs"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { startWebSocketTrap } from "../support/websocket-trap.ts"
import { createAppHub } from "./app.ts"
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

/** What stands before the file's name. Deno is given the one permission that the client needs. */
const ARGS: Readonly<Record<string, readonly string[]>> = {
  HOLDFAST_BUN: ["run"],
  HOLDFAST_DENO: ["run", "--no-prompt", "--allow-net=127.0.0.1"],
}

let project: ReturnType<typeof createProject>
beforeAll(() => {
  project = createProject([SUITE])
})
afterAll(() => project.remove())

/** A server behind a line that the other process can have cut. */
async function startServer() {
  const hub = createAppHub()
  onTestFinished(() => hub.close())
  const line = await startTcpProxy((await hub.listen({ port: 0 })).port)
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
      const addresses = await startServer()
      const args = [...(ARGS[variable] ?? []), SUITE, title, ...addresses]
      const { stdout } = await promisify(execFile)(executable as string, args, { cwd: project.folder })
      expect(stdout).toContain(`done: ${title}`)
    })
  })
}
