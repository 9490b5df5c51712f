import { describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { startRedis } from "../support/redis.ts"
import { listen, startEngineNodes, watchLog } from "./support/engine.ts"

const SYNCED = ["--appendonly", "yes", "--appendfsync", "always"]

async function world(args: readonly string[]) {
  const redis = await startRedis(args)
  onTestFinished(() => redis.destroy())
  const [one, two] = await startEngineNodes([redis.url, redis.url], { waitMs: 50_000 })
  const clients = [listen(one!.url), listen(two!.url)]
  for (const { room } of clients) await room.ready()
  return { redis, one: one!, two: two!, clients }
}

describe.skipIf(!program("redis-server"))("an engine that is killed and comes back", () => {
  test("with what it had: clients stay, are told, and miss nothing", async () => {
    const { redis, one, two, clients } = await world(SYNCED)
    const watcher = await watchLog(one.url)
    const texts = Array.from({ length: 30 }, (_, index) => `message ${index}`)
    for (const text of texts.slice(0, 10)) await one.room.publish("said", { text })
    await redis.stop("SIGKILL")
    expect(await watcher.next()).toBe(false)
    expect(one.hub.health()).toMatchObject({ ready: false, reasons: [{ code: "log_unavailable" }] })
    const waiting = texts.slice(10, 20).map((text) => one.room.publish("said", { text }))
    await redis.start()
    await Promise.all(waiting)
    expect(await watcher.next()).toBe(true)
    expect(one.hub.health().ready).toBe(true)
    for (const text of texts.slice(20)) await two.room.publish("said", { text })
    for (const client of clients) {
      await client.hears("message 29")
      expect(client.texts()).toEqual(texts)
      expect(client.gaps).toEqual([])
      expect(client.statuses).toEqual(["open"])
    }
  })

  test("empty: subscribers are told of the gap, and go on in the new epoch", async () => {
    const { redis, one, two, clients } = await world([])
    for (let index = 0; index < 10; index++) await one.room.publish("said", { text: `lost ${index}` })
    for (const client of clients) await client.hears("lost 9")
    const before = clients.map(({ room }) => room.position?.epoch)
    await redis.stop("SIGKILL")
    const waiting = two.room.publish("said", { text: "new" })
    await redis.start()
    await waiting
    for (const [index, client] of clients.entries()) {
      await client.hears("new")
      expect(client.gaps).toEqual(["new-epoch"])
      expect(client.statuses).toEqual(["open"])
      expect(client.room.position?.epoch).not.toBe(before[index])
    }
  })

  test("who comes while it is away is told so, and misses nothing from the moment on in which it is back", async () => {
    const { redis, one } = await world(SYNCED)
    const watcher = await watchLog(one.url)
    // often, for what is published meets the log in the middle of finding its way back
    for (let round = 0; round < 10; round++) {
      await redis.stop("SIGKILL")
      expect(await watcher.next()).toBe(false)
      const late = await watchLog(one.url)
      expect(await late.next()).toBe(false)
      const subscriber = listen(one.url)
      await redis.start()
      expect(await late.next()).toBe(true)
      expect(await watcher.next()).toBe(true)
      await subscriber.room.ready()
      await one.room.publish("said", { text: `${round}` })
      await subscriber.hears(`${round}`)
      subscriber.client.close()
    }
  })
})
