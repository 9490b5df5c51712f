import { describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { type RedisServer, startRedis } from "../support/redis.ts"
import { listen, startEngineNodes, watchLog } from "./support/engine.ts"

const texts = Array.from({ length: 20 }, (_, index) => `message ${index}`)

async function redisServer(): Promise<RedisServer> {
  const redis = await startRedis()
  onTestFinished(() => redis.destroy())
  return redis
}

/** The process is there and does nothing, as a machine that cannot be reached. Whatever becomes of the test, it goes on. */
function stall({ pid }: RedisServer): () => void {
  process.kill(pid(), "SIGSTOP")
  const goOn = () => void process.kill(pid(), "SIGCONT")
  onTestFinished(goOn)
  return goOn
}

describe.skipIf(!program("redis-server"))("an engine that", () => {
  test("cannot be reached for longer than a publish waits: it fails with a code, and nothing that was taken is lost", async () => {
    const redis = await redisServer()
    const [one, two] = await startEngineNodes([redis.url, redis.url])
    const clients = [listen(one!.url), listen(two!.url)]
    for (const { room } of clients) await room.ready()
    const watcher = await watchLog(two!.url)
    await one!.room.publish("said", { text: "before" })
    const goOn = stall(redis)
    const fromServer = one!.room.publish("said", { text: "refused?" }, { idempotencyKey: "k1" })
    await expect(fromServer).rejects.toMatchObject({ code: "in_doubt" })
    // what was not sent at all is known not to be there
    await expect(one!.room.publish("said", { text: "not sent" })).rejects.toMatchObject({
      code: "log_unavailable",
    })
    // a client's is refused in the same way, and its key finds out later what became of it
    const id = 7
    const said = { channel: "room/a", name: "said", data: { text: "later" }, idempotencyKey: "k2" } as const
    watcher.client.send({ type: "publish", id, ...said })
    expect(await watcher.next()).toBe(false)
    expect(await watcher.client.next("error")).toMatchObject({ id, code: "log_unavailable" })
    for (const { statuses, room } of clients) {
      expect(statuses).toEqual(["open"])
      expect(room.status).toBe("live")
    }
    goOn()
    expect(await watcher.next()).toBe(true)
    await one!.room.publish("said", { text: "refused?" }, { idempotencyKey: "k1" })
    watcher.client.send({ type: "publish", id: id + 1, ...said })
    await watcher.client.next("result")
    for (const text of texts) await two!.room.publish("said", { text })
    for (const client of clients) {
      await client.hears("message 19")
      const heard = client.texts()
      // what was sent and not answered is there once, at its place or at that of its repetition
      expect(heard.toSorted()).toEqual(["before", "later", "refused?", ...texts].toSorted())
      expect(heard.filter((text) => text.startsWith("message"))).toEqual(texts)
      expect(client.gaps).toEqual([])
      expect(client.statuses).toEqual(["open"])
    }
  })

  test("falls silent for less than a publish waits takes all of it when it goes on, once, in order", async () => {
    const redis = await redisServer()
    const [one, two] = await startEngineNodes([redis.url, redis.url], { waitMs: 50_000 })
    const clients = [listen(one!.url), listen(two!.url)]
    for (const { room } of clients) await room.ready()
    const watcher = await watchLog(two!.url)
    const goOn = stall(redis)
    const published = texts.map((text, index) => clients[index % 2]!.room.publish("said", { text }))
    expect(await watcher.next()).toBe(false)
    goOn()
    expect(await watcher.next()).toBe(true)
    await Promise.all(published)
    const each = (rest: number) => texts.filter((_, index) => index % 2 === rest)
    for (const client of clients) {
      await client.until(() => client.heard.length >= texts.length)
      for (const rest of [0, 1]) {
        expect(client.texts().filter((text) => each(rest).includes(text))).toEqual(each(rest))
      }
      expect(client.heard).toEqual(clients[0]!.heard)
      expect(client.gaps).toEqual([])
      expect(client.statuses).toEqual(["open"])
    }
  })

  test("answers slowly makes publishes slow, and nothing else", async () => {
    const redis = await redisServer()
    const [node] = await startEngineNodes([redis.url], { answerTimeoutMs: 60_000, waitMs: 50_000 })
    const client = listen(node!.url)
    await client.room.ready()
    const watcher = await watchLog(node!.url)
    for (const text of texts) {
      await redis.client.sendCommand(["CLIENT", "PAUSE", "40", "ALL"])
      await node!.room.publish("said", { text })
    }
    await client.hears("message 19")
    expect(client.texts()).toEqual(texts)
    expect(watcher.client.received.filter(({ type }) => type === "log")).toEqual([])
  })

  test("answers so slowly that its connection is given up gets each publish once", async () => {
    const redis = await redisServer()
    const [node] = await startEngineNodes([redis.url], { answerTimeoutMs: 500, waitMs: 50_000 })
    const client = listen(node!.url)
    await client.room.ready()
    for (const text of texts.slice(0, 8)) {
      await redis.client.sendCommand(["CLIENT", "PAUSE", "800", "ALL"])
      await node!.room.publish("said", { text })
    }
    await client.hears("message 7")
    expect(client.texts()).toEqual(texts.slice(0, 8))
    expect(client.gaps).toEqual([])
  })

  test("is full refuses what is published with a code, and everything else goes on", async () => {
    const redis = await redisServer()
    const [node] = await startEngineNodes([redis.url])
    const client = listen(node!.url)
    await client.room.ready()
    await node!.room.publish("said", { text: "before" })
    await redis.client.sendCommand(["CONFIG", "SET", "maxmemory", "1"])
    await expect(node!.room.publish("said", { text: "refused" })).rejects.toMatchObject({ code: "log_full" })
    await expect(client.room.publish("said", { text: "refused" })).rejects.toMatchObject({ code: "log_full" })
    expect(node!.hub.health().ready).toBe(true)
    expect((await node!.room.history({ last: 10 })).map(({ data }) => data)).toEqual([{ text: "before" }])
    await node!.room.signal("typing", {})
    await redis.client.sendCommand(["CONFIG", "SET", "maxmemory", "0"])
    await client.room.publish("said", { text: "after" })
    await client.hears("after")
    expect(client.texts()).toEqual(["before", "after"])
    expect(client.statuses).toEqual(["open"])
  })
})
