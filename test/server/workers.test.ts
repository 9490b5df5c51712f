import { once } from "node:events"
import { createInterface } from "node:readline"
import { workers } from "holdfast/server"
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { spawnTsx } from "../support/tsx-process.ts"
import { WireClient } from "./support/wire-client.ts"

/** The server in a process of its own, and what it says. */
function launch(...args: string[]) {
  const child = spawnTsx("test/server/support/workers-server.ts", args, "pipe")
  // its workers go when it does
  onTestFinished(() => void child.kill("SIGKILL"))
  const exited = once(child, "exit") as Promise<[number | null]>
  const said: string[] = []
  let wake = () => {}
  let errors = ""
  createInterface({ input: child.stdout }).on("line", (line) => {
    said.push(line)
    wake()
  })
  child.stderr?.on("data", (chunk: Buffer) => {
    errors += chunk.toString()
  })
  const times = (start: string) => said.filter((line) => line.startsWith(start)).length
  return {
    child,
    errors: () => errors,
    exitCode: async () => (await exited)[0],
    /** Resolves with the last of them when so many lines have begun so. */
    says: async (start: string, count: number) => {
      while (times(start) < count) await new Promise<void>((resolve) => (wake = resolve))
      return said.findLast((line) => line.startsWith(start))?.slice(start.length) ?? ""
    },
  }
}

async function pidOf(client: WireClient): Promise<number> {
  const call = { id: 1, channel: "room/a", name: "pid", data: null, timeoutMs: 60_000 } as const
  client.send({ type: "call", ...call })
  return (await client.next("result")).data as number
}

describe.skipIf(!program("redis-server"))("a server on several workers", () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(() => redis.destroy())

  /** Waits for the workers, and for the process that leads them. */
  async function start(count: number) {
    const server = launch(`${count}`, redis.url)
    const url = await server.says("listening at ", count)
    await server.says("started ", count + 1)
    return { server, url }
  }

  test("shares one port, and its subscribers hear what any of them publishes", async () => {
    const { url } = await start(3)
    const clients = await Promise.all(Array.from({ length: 9 }, () => WireClient.greet(url)))
    const pids = new Set(await Promise.all(clients.map(pidOf)))
    expect(pids.size).toBe(3)
    for (const client of clients) await client.subscribe("room/a")
    const [publisher, ...others] = clients as [WireClient, ...WireClient[]]
    const said = { channel: "room/a", name: "said", data: { text: "hello" }, idempotencyKey: "k" } as const
    publisher.send({ type: "publish", id: 2, ...said })
    for (const client of others) expect(await client.next("event")).toMatchObject({ data: said.data })
  })

  test("goes on when one is killed, and has another in its place", async () => {
    const { server, url } = await start(2)
    const clients = await Promise.all(Array.from({ length: 4 }, () => WireClient.greet(url)))
    const pids = await Promise.all(clients.map(pidOf))
    const killed = pids[0] as number
    process.kill(killed, "SIGKILL")
    for (const [index, client] of clients.entries()) {
      if (pids[index] === killed) expect((await client.closed).code).toBe(1006)
      else expect(await pidOf(client)).toBe(pids[index])
    }
    await server.says("started ", 4)
    const newcomers = await Promise.all(Array.from({ length: 4 }, () => WireClient.greet(url)))
    const now = new Set(await Promise.all(newcomers.map(pidOf)))
    expect(now.size).toBe(2)
    expect(now.has(killed)).toBe(false)
  })

  test.each(["SIGTERM", "SIGINT"] as const)("drains all of them on %s, and exits with 0", async (signal) => {
    const { server, url } = await start(2)
    const clients = await Promise.all(Array.from({ length: 6 }, () => WireClient.greet(url)))
    server.child.kill(signal)
    for (const client of clients) {
      expect(await client.next("goaway")).toMatchObject({ reconnect: true })
      client.webSocket.close(4408)
    }
    expect(await server.exitCode()).toBe(0)
  })

  test("ends when one of them cannot even start", async () => {
    const server = launch("3", "fail")
    expect(await server.exitCode()).toBe(1)
    expect(server.errors()).toContain("no configuration")
  })
})

test("several workers on logs of their own are refused, with what to do", async () => {
  const server = launch("2", "memory")
  expect(await server.exitCode()).toBe(1)
  expect(server.errors()).toContain("log_not_shared")
})

test("one worker is this process, on whatever log", async () => {
  const server = launch("1", "memory")
  const url = await server.says("listening at ", 1)
  expect(await pidOf(await WireClient.greet(url))).toBe(server.child.pid)
  server.child.kill("SIGKILL")
})

test("a count that is none is refused", async () => {
  for (const count of [0, 1.5, Number.NaN]) {
    await expect(workers(count, () => undefined)).rejects.toThrow(TypeError)
  }
})
