import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { HoldfastError, type Log, memoryLog } from "holdfast/server"
import { expect, onTestFinished, test } from "vitest"
import { get } from "./support/http.ts"
import { createTestHub, startTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

/** A log that says when it is away. */
function failingLog() {
  const listeners = new Set<(failure: HoldfastError | undefined) => void>()
  const log: Log = {
    ...memoryLog(),
    watchAvailability: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
  const tell = (failure?: HoldfastError) => {
    for (const listener of listeners) listener(failure)
  }
  return { log, tell }
}

const ask = async (url: string) => {
  const { status, body } = await get(url)
  return { status, body: JSON.parse(body) as unknown }
}

test("a hub's own server says that it is alive, and ready, and how many it serves", async () => {
  const { port, url } = await startTestHub()
  const base = `http://127.0.0.1:${port}`
  expect(await ask(`${base}/healthz`)).toEqual({ status: 200, body: { alive: true } })
  expect(await ask(`${base}/readyz`)).toEqual({
    status: 200,
    body: { ready: true, reasons: [], connections: 0 },
  })
  await WireClient.greet(url)
  expect(await ask(`${base}/readyz?verbose`)).toMatchObject({ body: { connections: 1 } })
})

test("while the log cannot be reached the node is alive and not ready, and does not tell strangers why", async () => {
  const { log, tell } = failingLog()
  const { hub, port } = await startTestHub({ log })
  tell(new HoldfastError("log_unavailable", "connect ECONNREFUSED 10.1.2.3:6379"))
  const { status, body } = await ask(`http://127.0.0.1:${port}/readyz`)
  expect({ status, body }).toMatchObject({
    status: 503,
    body: { ready: false, reasons: [{ code: "log_unavailable" }] },
  })
  expect(JSON.stringify(body)).not.toContain("10.1.2.3")
  expect((await get(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  tell()
  expect(hub.health().ready).toBe(true)
})

test("while it drains the node is alive and not ready", async () => {
  const { hub, port, url } = await startTestHub()
  const client = await WireClient.greet(url)
  const drained = hub.drain({ spreadMs: 0 })
  const { status, body } = await ask(`http://127.0.0.1:${port}/readyz`)
  expect({ status, body }).toMatchObject({ status: 503, body: { reasons: [{ code: "draining" }] } })
  expect((await get(`http://127.0.0.1:${port}/healthz`)).status).toBe(200)
  await client.close()
  await drained
  expect(hub.health()).toMatchObject({ ready: false, reasons: [{ code: "closed" }] })
})

test("the addresses can be other ones, or none", async () => {
  const hub = createTestHub()
  const { port } = await hub.listen({ port: 0, health: { alive: "/live/", ready: "/ready" } })
  const { port: silent } = await hub.listen({ port: 0, health: false })
  const status = async (on: number, path: string) => (await get(`http://127.0.0.1:${on}${path}`)).status
  expect(await status(port, "/live")).toBe(200)
  expect(await status(port, "/ready")).toBe(200)
  expect(await status(port, "/healthz")).toBe(404)
  expect(await status(silent, "/healthz")).toBe(404)
})

test("an app's own server answers with it what it likes", async () => {
  const hub = createTestHub()
  const server = createServer((request, response) => {
    if (hub.handleHealth(request, response, { ready: "/up" })) return
    response.end("the app")
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => void server.close())
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  expect((await get(`${base}/up`)).status).toBe(200)
  expect((await get(`${base}/readyz`)).body).toBe("the app")
})

test("only what reads is answered", async () => {
  const { port } = await startTestHub()
  const posted = await fetch(`http://127.0.0.1:${port}/readyz`, { method: "POST", body: "x" })
  expect(posted.status).toBe(405)
  const head = await fetch(`http://127.0.0.1:${port}/readyz`, { method: "HEAD" })
  expect(head.status).toBe(200)
})
