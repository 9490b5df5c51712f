import { describe, expect, onTestFinished, test } from "vitest"
import { program } from "../support/program.ts"
import { startRedis } from "../support/redis.ts"
import { startTcpProxy } from "../support/tcp-proxy.ts"
import { type Heard, listen, startEngineNodes } from "./support/engine.ts"

/** Every offset that anybody saw, in any epoch, with what stood there. @throws when one stands for two things */
function meanings(heard: readonly Heard[]): Map<string, string> {
  const found = new Map<string, string>()
  for (const { epoch, offset, text } of heard) {
    const place = `${epoch}:${offset}`
    expect(found.get(place) ?? text).toBe(text)
    found.set(place, text)
  }
  return found
}

describe.skipIf(!program("redis-server"))("a failover that loses the log's tail", () => {
  /** A master and a replica that hears of nothing any more, and two nodes at an address that leads to either. */
  async function world() {
    const [master, replica] = [await startRedis(), await startRedis()]
    const address = await startTcpProxy(master.port)
    const replication = await startTcpProxy(master.port)
    onTestFinished(async () => {
      await Promise.all([address.close(), replication.close()])
      await Promise.all([master.destroy(), replica.destroy()])
    })
    await replica.client.sendCommand(["REPLICAOF", "127.0.0.1", String(replication.port)])
    const url = `redis://127.0.0.1:${address.port}`
    const [one, two] = await startEngineNodes([url, url], { waitMs: 50_000 })
    /** Resolves when the replica has everything: Redis waits for what the one who asks has written. */
    const replicated = async () => {
      await master.client.set("marker", "1")
      await master.replicated()
    }
    const failOver = async () => {
      await master.stop("SIGKILL")
      await replica.client.sendCommand(["REPLICAOF", "NO", "ONE"])
      address.target = replica.port
      address.cut()
    }
    return { replicated, replication, one: one!, two: two!, failOver }
  }

  test("is told as a gap, and no offset ever means two things", async () => {
    const { replicated, replication, one, two, failOver } = await world()
    const [near, far] = [listen(one.url), listen(two.url)]
    for (const { room } of [near, far]) await room.ready()
    for (let index = 0; index < 5; index++) await one.room.publish("said", { text: `kept ${index}` })
    await replicated()
    replication.freezeAnswers()
    for (let index = 0; index < 5; index++) await one.room.publish("said", { text: `tail ${index}` })
    for (const client of [near, far]) await client.hears("tail 4")
    await failOver()
    // the node that publishes first may be one that knows of nothing that was lost
    for (let index = 0; index < 10; index++) await two.room.publish("said", { text: `new ${index}` })
    for (const client of [near, far]) {
      await client.hears("new 9")
      expect(client.gaps).toEqual(["new-epoch"])
      expect(client.statuses).toEqual(["open"])
    }
    // what the new life of the log still has is told anew in it, and what was lost never again
    const kept = Array.from({ length: 5 }, (_, index) => `kept ${index}`)
    const tail = Array.from({ length: 5 }, (_, index) => `tail ${index}`)
    const fresh = Array.from({ length: 10 }, (_, index) => `new ${index}`)
    expect(near.texts()).toEqual([...kept, ...tail, ...kept, ...fresh])
    expect(meanings([...near.heard, ...far.heard]).size).toBe(25)
  })

  test("is found by a node that nobody publishes through, as its cursor stands above the log's top", async () => {
    const { replicated, replication, one, two, failOver } = await world()
    const far = listen(two.url)
    await far.room.ready()
    await one.room.publish("said", { text: "kept" })
    await replicated()
    replication.freezeAnswers()
    await one.room.publish("said", { text: "tail" })
    await far.hears("tail")
    await failOver()
    await far.until(() => far.gaps.length > 0)
    expect(far.gaps).toEqual(["new-epoch"])
    await one.room.publish("said", { text: "new" })
    await far.hears("new")
    expect(far.texts()).toEqual(["kept", "tail", "kept", "new"])
    meanings(far.heard)
  })

  test("a client that was away meanwhile, with a cursor in the lost tail, is told when it comes back", async () => {
    const { replicated, replication, one, two, failOver } = await world()
    const far = listen(two.url)
    await far.room.ready()
    await replicated()
    replication.freezeAnswers()
    await one.room.publish("said", { text: "tail" })
    await far.hears("tail")
    await failOver()
    for (let index = 0; index < 3; index++) await one.room.publish("said", { text: `new ${index}` })
    far.client.reconnect()
    await far.hears("new 2")
    expect(far.gaps).toEqual(["new-epoch"])
    meanings(far.heard)
  })
})
