import { redisLog } from "holdfast/redis"
import { describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { type RedisCluster, startRedisCluster } from "../support/redis.ts"
import { watchLog } from "./support/engine.ts"
import { startTestHub } from "./support/hubs.ts"

const rooms = Array.from({ length: 12 }, (_, index) => `room ${index}`)

/** A node on a cluster of three shards, and a way to publish in every room at once: what becomes of it, by room. */
async function nodeOn(coverage: "yes" | "no") {
  // with a shorter one, a busy machine takes shards for gone that are not
  const args = ["--cluster-require-full-coverage", coverage, "--cluster-node-timeout", "2000"]
  const cluster = await startRedisCluster(args)
  onTestFinished(() => cluster.destroy())
  const quick = { waitMs: 4_000, answerTimeoutMs: 2_000, heartbeatMs: 100 }
  const log = redisLog(cluster.client(), { ...quick, onError: () => undefined })
  const { hub, url } = await startTestHub({ log })
  const sayIn = async (room: string): Promise<string> =>
    hub
      .channel("room/:room", { room })
      .publish("said", { text: "hello" })
      .then(
        () => "kept",
        (error: { code: string }) => error.code,
      )
  const say = async () =>
    new Map(await Promise.all(rooms.map(async (room) => [room, await sayIn(room)] as const)))
  return { cluster, hub, url, say }
}

/** The rooms whose log is on the first of the shards. */
async function roomsOnFirst({ servers }: RedisCluster): Promise<string[]> {
  const keys = (await servers[0]?.client.keys("*:h:room/*")) ?? []
  return rooms.filter((room) => keys.some((key) => key.endsWith(encodeURIComponent(room))))
}

describe.skipIf(!program("redis-server"))("a shard of a Redis Cluster that is gone", () => {
  test("takes its channels with it, with a code; the others go on, and the node is ready", async () => {
    const { cluster, hub, url, say } = await nodeOn("no")
    await say()
    const gone = await roomsOnFirst(cluster)
    expect(gone.length).toBeGreaterThan(0)
    expect(gone.length).toBeLessThan(rooms.length)
    const { client } = await watchLog(url)
    await cluster.servers[0]?.stop("SIGKILL")
    // what is sent to it just now is in doubt; then it is known that nothing can be
    await say()
    for (const [room, outcome] of await say()) {
      expect(outcome).toBe(gone.includes(room) ? "log_unavailable" : "kept")
    }
    expect(hub.health().ready).toBe(true)
    await cluster.servers[0]?.start()
    while ([...(await say()).values()].some((outcome) => outcome !== "kept"));
    expect(client.received.filter(({ type }) => type === "log")).toEqual([])
  })

  test("takes the whole cluster with it, if that is configured so: the node is not ready, and its clients are told", async () => {
    const { cluster, hub, url, say } = await nodeOn("yes")
    await say()
    const { next } = await watchLog(url)
    await cluster.servers[0]?.stop("SIGKILL")
    expect(await next()).toBe(false)
    expect(hub.health()).toMatchObject({ ready: false, reasons: [{ code: "log_unavailable" }] })
    expect(new Set((await say()).values())).toEqual(new Set(["log_unavailable"]))
    await cluster.servers[0]?.start()
    expect(await next()).toBe(true)
    expect(hub.health().ready).toBe(true)
    while ([...(await say()).values()].some((outcome) => outcome !== "kept"));
  })
})
