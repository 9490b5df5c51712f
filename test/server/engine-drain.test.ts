import { once } from "node:events"
import { describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { listeningAt, spawnTsx } from "../support/tsx-process.ts"
import { startEngineNodes, watchLog } from "./support/engine.ts"
import { stamp } from "./support/stamp.ts"
import { WireClient } from "./support/wire-client.ts"

async function redisServer(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.destroy())
  return redis
}

/** The longest that there is: what ends earlier has not waited for the log. */
const PATIENT = { waitMs: 50_000 }

describe.skipIf(!program("redis-server"))("a node that drains while the engine", () => {
  test("is gone goes too, within its deadline; what waits for the log fails with a code", async () => {
    const redis = await redisServer()
    const [node] = await startEngineNodes([redis.url], PATIENT)
    const { client, next } = await watchLog(node!.url)
    client.send({ type: "enter", id: 1, channel: "room/a", data: { name: "Ada" }, version: stamp() })
    await client.next("result")
    await redis.stop("SIGKILL")
    expect(await next()).toBe(false)
    const published = node!.room.publish("said", { text: "waits" }).catch((error: unknown) => error)
    const drained = node!.hub.drain({ spreadMs: 0, deadlineMs: 10_000 })
    await client.next("goaway")
    client.webSocket.close(4408)
    await drained
    expect(await published).toMatchObject({ code: "log_unavailable" })
  })

  test("is silent goes too; what had been sent to it is in doubt", async () => {
    const redis = await redisServer()
    const [node] = await startEngineNodes([redis.url], PATIENT)
    const { client } = await watchLog(node!.url)
    client.send({ type: "enter", id: 1, channel: "room/a", data: { name: "Ada" }, version: stamp() })
    await client.next("result")
    process.kill(redis.pid(), "SIGSTOP")
    onTestFinished(() => void process.kill(redis.pid(), "SIGCONT"))
    const published = node!.room.publish("said", { text: "sent" }).catch((error: unknown) => error)
    const drained = node!.hub.drain({ spreadMs: 0, deadlineMs: 10_000 })
    await client.next("goaway")
    client.webSocket.close(4408)
    await drained
    expect(await published).toMatchObject({ code: "in_doubt" })
  })

  test("is gone exits with 0", async () => {
    const redis = await redisServer()
    const child = spawnTsx("test/server/support/cluster-node.ts", [redis.url, "drain", "0"], "pipe")
    onTestFinished(() => void child.kill("SIGKILL"))
    const exited = once(child, "exit")
    const client = await WireClient.greet(`ws://127.0.0.1:${await listeningAt(child)}/holdfast`)
    client.send({ type: "enter", id: 1, channel: "room/a", data: { name: "Ada" }, version: stamp() })
    await client.next("result")
    await redis.stop("SIGKILL")
    expect(await client.next("log")).toMatchObject({ available: false })
    child.kill("SIGTERM")
    await client.next("goaway")
    client.webSocket.close(4408)
    expect(await exited).toEqual([0, null])
  })
})
