import { describe, expect, it } from "vitest"
import { encodeBody } from "../../src/protocol/body.ts"
import { sharedLog } from "../../src/testing/shared-log.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { journaledLog } from "./journaled-log.ts"
import { type Node, nodes } from "./node-rig.ts"
import type { Peer } from "./rig.ts"

const CHANNEL = "room/lobby"
let sessions = 0

async function come(node: Node, user: string, ...subscriptions: object[]): Promise<Peer> {
  const peer = node.peer()
  const session = `session-of-${user}-${++sessions}`.padEnd(24, "-")
  peer.send({ type: "hello", token: user, session, subscriptions })
  await node.clock.settle()
  return peer
}

const typing = { type: "signal", channel: CHANNEL, name: "typing", data: { on: true } }

describe("signals", () => {
  it("reach the subscribers at every node once, with their sender", async () => {
    const { clock, all } = nodes(3)
    const peers = await Promise.all(all.map((node, n) => come(node, `user-${n}`, { channel: CHANNEL })))
    peers[0]?.send(typing)
    await clock.settle()
    for (const peer of peers) {
      expect(peer.all("signal")).toMatchObject([
        { from: peers[0]?.last("welcome").member, data: { on: true } },
      ])
    }
    await all[1].hub.channel("room/:room", { room: "lobby" }).signal("typing", { on: false })
    await clock.settle()
    for (const peer of peers) expect(peer.last("signal")).not.toHaveProperty("from")
  })

  it("are not asked for by a node that nobody subscribes at", async () => {
    const topics: string[] = []
    const log = sharedLog()
    const bus = { ...log.bus!, subscribe: listening(log.bus!.subscribe, topics) }
    const { clock, all } = nodes(1, {}, virtualClock(), { ...log, bus })
    const peer = await come(all[0], "ada", { channel: CHANNEL }, { channel: "plain/a" })
    expect(topics.filter((topic) => topic.startsWith("signal/"))).toEqual(["signal/room/lobby"])
    peer.leave()
    await clock.settle()
    expect(topics.filter((topic) => topic.startsWith("signal/"))).toEqual([])
  })

  it("are heard as soon as the bus can be listened to", async () => {
    const log = sharedLog()
    let isDown = true
    const subscribe: NonNullable<typeof log.bus>["subscribe"] = async (...args) => {
      if (isDown) throw new Error("down")
      return log.bus!.subscribe(...args)
    }
    const { clock, all } = nodes(2, {}, virtualClock(), { ...log, bus: { ...log.bus!, subscribe } })
    const [one, other] = [
      await come(all[0], "ada", { channel: CHANNEL }),
      await come(all[1], "bob", { channel: CHANNEL }),
    ]
    one.send(typing)
    await clock.settle()
    expect([one.all("signal").length, other.all("signal").length]).toEqual([1, 0])
    isDown = false
    await clock.advance(1_000)
    one.send(typing)
    await clock.settle()
    expect([one.all("signal").length, other.all("signal").length]).toEqual([2, 1])
  })
})

type Subscribe = NonNullable<ReturnType<typeof sharedLog>["bus"]>["subscribe"]

function listening(subscribe: Subscribe, topics: string[]): Subscribe {
  return async (topic, listener) => {
    const stop = await subscribe(topic, listener)
    topics.push(topic)
    return () => {
      topics.splice(topics.indexOf(topic), 1)
      stop()
    }
  }
}

describe("a user", () => {
  it("is disconnected at every node, for good or to come back", async () => {
    const { all } = nodes(2)
    await all[0].clock.advance(2_000)
    const [here, there, other] = [
      await come(all[0], "ada"),
      await come(all[1], "ada"),
      await come(all[1], "bob"),
    ]
    const gone = await all[0].hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    expect(gone.results).toHaveLength(2)
    expect(gone.missing).toEqual([])
    for (const peer of [here, there]) {
      expect(peer.last("goaway")).toMatchObject({ reason: "banned", reconnect: false })
      expect(peer.closed()).toMatchObject({ code: 4403 })
    }
    expect(other.closed()).toBeUndefined()
    await all[0].hub.disconnect({ user: "bob", reason: "new rights", reconnect: true })
    expect(other.last("goaway")).toMatchObject({ reason: "new rights", reconnect: true })
  })

  it("loses a subscription and its member at every node, and keeps the rest", async () => {
    const { clock, all } = nodes(2)
    await clock.advance(2_000)
    const there = await come(all[1], "ada", { channel: CHANNEL }, { channel: "plain/a" })
    const watcher = await come(all[0], "bob", { channel: CHANNEL })
    there.send({ type: "enter", id: 1, channel: CHANNEL, data: { mood: "calm" }, version: 1 })
    await clock.settle()
    const lobby = all[0].hub.channel("room/:room", { room: "lobby" })
    const { results } = await lobby.revoke("ada", "you were asked to leave")
    expect(results).toMatchObject([{ user: "ada" }])
    await clock.settle()
    expect(there.all("unsubscribed")).toEqual([
      { type: "unsubscribed", channel: CHANNEL, code: "revoked", message: "you were asked to leave" },
    ])
    expect(watcher.all("left")).toHaveLength(1)
    await lobby.publish("said", { text: "psst", by: "bob" })
    await all[0].hub.channel("plain/:name", { name: "a" }).publish("tick", 1)
    await clock.settle()
    expect(there.all("event").map(({ name }) => name)).toEqual(["tick"])
  })

  it("is told something at whichever node it is, by a channel of its own", async () => {
    const { clock, all } = nodes(2, {
      channels: { "plain/:name": { subscribe: ({ user, params }) => user.id === params.name } },
    })
    const ada = await come(all[1], "ada", { channel: "plain/ada" }, { channel: "plain/bob" })
    await all[0].hub.channel("plain/:name", { name: "ada" }).publish("tick", 7)
    await clock.settle()
    expect(ada.all("event")).toMatchObject([{ data: 7 }])
    expect(ada.all("unsubscribed")).toMatchObject([{ channel: "plain/bob", code: "not_allowed" }])
  })
})

describe("questions to all nodes", () => {
  it("say which nodes there are, and who is connected to them", async () => {
    const { clock, all } = nodes(3)
    await clock.advance(2_000)
    await come(all[0], "ada", { channel: CHANNEL })
    const bob = await come(all[2], "bob")
    // who is present somewhere has not subscribed there
    bob.send({ type: "enter", id: 1, channel: CHANNEL, data: { mood: "calm" }, version: 1 })
    await clock.settle()
    const { results, missing } = await all[1].hub.cluster.nodes()
    expect(missing).toEqual([])
    expect(results.map(({ connections, channels }) => [connections, channels]).sort()).toEqual([
      [0, 0],
      [1, 0],
      [1, 1],
    ])
    const everybody = await all[1].hub.cluster.connections()
    expect(everybody.results.map(({ user }) => user).sort()).toEqual(["ada", "bob"])
    expect((await all[1].hub.cluster.connections({ user: "bob" })).results).toHaveLength(1)
  })

  it("name the nodes that do not answer in time, and not those whose lease is over", async () => {
    const { clock, all } = nodes(3)
    await clock.advance(2_000)
    all[2].kill()
    const asked = all[0].hub.cluster.nodes()
    await clock.advance(1_999)
    const late = await Promise.race([asked, Promise.resolve("waits")])
    expect(late).toBe("waits")
    await clock.advance(1)
    expect(await asked).toMatchObject({ missing: [expect.any(String)] })
    expect((await asked).results).toHaveLength(2)
    await clock.advance(9_000)
    expect((await clock.run(all[0].hub.cluster.nodes())).missing).toEqual([])
  })

  it("wait for nodes that have not renewed their lease in a log that began anew", async () => {
    const clock = virtualClock()
    const engine = journaledLog({ now: clock.monotonic })
    const { all, start } = nodes(1, {}, clock, sharedLog(engine.log))
    await clock.advance(1_000)
    for (let n = 0; n < 2; n++) start()
    await clock.advance(2_500)
    await engine.restore(0)
    for (let n = 0; n < 30; n++) {
      await clock.advance(100)
      const { results, missing } = await clock.run(all[0].hub.cluster.nodes())
      expect([results.length, missing]).toEqual([3, []])
    }
  })

  it("are answered with no more than each node may say, and say so", async () => {
    const { clock, all } = nodes(2, { limits: { clusterResultsMax: 3 } })
    await clock.advance(2_000)
    for (let n = 0; n < 5; n++) await come(all[1], "ada")
    const { results, truncated } = await all[0].hub.cluster.connections()
    expect([results.length, truncated]).toEqual([3, true])
    const gone = await all[0].hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    expect([gone.results.length, gone.truncated]).toEqual([3, true])
    await clock.settle()
    expect((await all[0].hub.cluster.connections()).results).toEqual([])
  })

  it("wait at a node that has just been started until it knows the others", async () => {
    const { clock, all, start } = nodes(2)
    await clock.advance(2_000)
    const ada = await come(all[1], "ada")
    const asked = start().hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    const { results, missing } = await clock.run(asked)
    expect(results).toMatchObject([{ user: "ada" }])
    expect(missing).toEqual([])
    expect(ada.closed()).toMatchObject({ code: 4403 })
  })

  it("are carried out at the asked node, and fail, when it cannot know the others", async () => {
    const { clock, start } = nodes(1)
    await clock.advance(2_000)
    const node = start()
    node.way.open = false
    const ada = await come(node, "ada")
    const asked = node.hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    await expect(clock.run(asked)).rejects.toMatchObject({ code: "log_unavailable" })
    expect(ada.closed()).toMatchObject({ code: 4403 })
  })

  it("name all others as missing where there is no bus", async () => {
    const { bus: _, ...log } = sharedLog()
    const { clock, all } = nodes(2, {}, virtualClock(), log)
    await clock.advance(2_000)
    const { results, missing } = await all[0].hub.cluster.nodes()
    expect([results.length, missing.length]).toEqual([1, 1])
  })

  it("of a newer node are answered with nothing, and its other messages are ignored", async () => {
    const { clock, all, inside } = nodes(1)
    await clock.advance(2_000)
    inside.bus!.publish("nodes", encodeBody({ node: "x", type: "gossip" }))
    inside.bus!.publish(
      "nodes",
      encodeBody({ node: "x", type: "question", id: "1", question: { type: "?" } }),
    )
    await clock.settle()
    expect(all[0].problems).toEqual([])
  })
})
