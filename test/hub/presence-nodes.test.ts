import { describe, expect, it } from "vitest"
import { deadBehind, followersOf, type Ring } from "../../src/hub/cluster/ring.ts"
import type { Log } from "../../src/log/log.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { sharedLog } from "../../src/testing/shared-log.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { leasingLog, type Node, nodes } from "./node-rig.ts"
import type { Peer } from "./rig.ts"

const CHANNEL = "room/lobby"
const FOLD = {
  after: 0,
  through: Number.MAX_SAFE_INTEGER,
  select: "fold",
  entriesMax: 9_999,
  bytesMax: 1e7,
} as const
let versions = 0

async function enter(node: Node, name: string, channel = CHANNEL): Promise<Peer> {
  const peer = node.peer()
  const presence = [{ channel, data: { mood: "calm" }, version: ++versions }]
  peer.send({
    type: "hello",
    token: name,
    session: "the-same-session-0123456789",
    subscriptions: [],
    presence,
  })
  await node.clock.settle()
  return peer
}

async function watch(node: Node) {
  const peer = node.peer()
  await peer.hello({ channel: CHANNEL })
  return () => peer.received.flatMap(({ type }) => (type === "join" || type === "left" ? type : []))
}

const count = async (log: Log, channel = CHANNEL) => (await log.read(channel, FOLD)).entries.length
const nodesIn = async (log: Log) => (await log.read("$nodes", FOLD)).entries.map(({ key }) => key)

it("the nodes of a ring follow each other by name, and the one before a dead one sees to it", () => {
  const ring: Ring = new Map([
    ["d", "alive"],
    ["b", "dead"],
    ["a", "alive"],
    ["e", "dead"],
    ["c", "left"],
  ])
  expect(followersOf(ring, "a")).toEqual(["c", "d"])
  expect(followersOf(ring, "d")).toEqual(["a", "c"])
  expect(["a", "d"].map((life) => deadBehind(ring, life))).toEqual([["b"], ["e"]])
  expect(deadBehind(new Map([...ring, ["a", "dead"] as const]), "d")).toEqual(["a", "b", "e"])
})

describe("members of a node that is killed", () => {
  it("are removed when its lease is over, in channels that no other node follows too", async () => {
    const { clock, inside, all } = nodes(3)
    const seen = await watch(all[1])
    await clock.advance(10_000)
    for (const channel of [CHANNEL, "room/other"]) await enter(all[0], "ada", channel)
    all[0].kill()
    await clock.advance(5_900)
    expect([await count(inside), await count(inside, "room/other")]).toEqual([1, 1])
    await clock.advance(4_100)
    expect([await count(inside), await count(inside, "room/other")]).toEqual([0, 0])
    expect(seen()).toEqual(["join", "left"])
    expect(await nodesIn(inside)).toHaveLength(2)
  })

  it("stay when they have come to another node meanwhile, and were never away", async () => {
    const { clock, all } = nodes(2)
    const seen = await watch(all[1])
    await enter(all[0], "ada")
    all[0].kill()
    await enter(all[1], "ada")
    await clock.advance(60_000)
    expect(seen()).toEqual(["join"])
  })

  it("are removed page by page, however many, when several nodes die at once", async () => {
    const { clock, inside, all } = nodes(3)
    await clock.advance(8_000)
    for (let n = 0; n < 1_200; n++) void enter(all[n % 2] as Node, `member-${n}`)
    await clock.advance(100)
    expect(await count(inside)).toBe(1_200)
    all[0].kill()
    all[1].kill()
    await clock.advance(10_000)
    expect(await count(inside)).toBe(0)
    expect(await nodesIn(inside)).toHaveLength(1)
  })

  it("are removed by a third node when the one that began with it dies too", async () => {
    const clock = virtualClock()
    const log = sharedLog(leasingLog(clock))
    let removals = 0
    const append: Log["append"] = async (channel, operation, options) => {
      if (channel.startsWith("room/") && operation.operation === "remove" && ++removals > 2)
        await new Promise<void>((resolve) => clock.after(1_000, resolve))
      return log.append(channel, operation, options)
    }
    const { all } = nodes(3, {}, clock, { ...log, append })
    await clock.advance(8_000)
    for (const room of ["a", "b", "c", "d"]) await enter(all[0], "ada", `room/${room}`)
    all[0].kill()
    await clock.until(() => removals > 2)
    const states = (await log.read("$nodes", FOLD)).entries.filter(({ holder }) => holder === "")
    expect(states).toHaveLength(3)
    for (const node of [all[1], all[2]]) if (node.problems.length === 0) node.way.open = false
    all[1].way.open = true
    await clock.advance(30_000)
    for (const room of ["a", "b", "c", "d"]) expect(await count(log, `room/${room}`)).toBe(0)
  })

  it("are removed a lease after another node has started, on a log that only one process has too", async () => {
    for (const shared of [true, false]) {
      const clock = virtualClock()
      const log: Log = { ...sharedLog(leasingLog(clock)), shared, durable: true }
      const { all, start } = nodes(1, {}, clock, log)
      await enter(all[0], "ada")
      all[0].kill()
      await clock.advance(60_000)
      start()
      await clock.advance(7_900)
      expect(await count(log)).toBe(1)
      await clock.advance(2_100)
      expect(await count(log)).toBe(0)
    }
  })
})

describe("a node that was out of touch", () => {
  it("enters its members again when others have removed them, but not those that have gone meanwhile", async () => {
    const { clock, inside, all } = nodes(2)
    const seen = await watch(all[1])
    await clock.advance(8_000)
    await enter(all[0], "ada")
    const gone = await enter(all[0], "bob")
    await enter(all[0], "eve")
    all[0].way.open = false
    await clock.advance(20_000)
    expect(await count(inside)).toBe(0)
    gone.cut()
    await enter(all[1], "eve")
    all[0].way.open = true
    await clock.advance(30_000)
    expect(await count(inside)).toBe(2)
    expect(seen().filter((type) => type === "join")).toHaveLength(5)
    expect(seen().filter((type) => type === "left")).toHaveLength(3)
  })

  it("tells a client that its version does not count any more", async () => {
    const { clock, inside, all } = nodes(2)
    const ada = await enter(all[0], "ada")
    const version = versions
    const [{ key }] = (await inside.read(CHANNEL, FOLD)).entries as never as [{ key: string }]
    all[0].way.open = false
    const endless = { entries: Number.POSITIVE_INFINITY, forMs: Number.POSITIVE_INFINITY }
    await inside.append(
      CHANNEL,
      { operation: "remove", collection: "presence", key, body: new Uint8Array(0), at: 0 },
      { retention: { ...endless, bytes: 1e9, removalsForMs: 1e9 }, condition: { version: version + 5 } },
    )
    all[0].way.open = true
    await clock.settle()
    expect(ada.all("removed")).toMatchObject([{ code: "superseded", version: version + 6 }])
  })

  it("takes no other for dead before it has been in touch for a lease, nor when the log was away", async () => {
    const { clock, all } = nodes(2)
    const seen = await watch(all[1])
    await enter(all[0], "ada")
    await clock.advance(2_000)
    for (const node of all) node.way.open = false
    await clock.advance(30_000)
    for (const node of all) node.way.open = true
    await clock.advance(30_000)
    expect(seen()).toEqual(["join"])
  })

  it("goes on when clocks are set", async () => {
    const { clock, all } = nodes(2)
    const seen = await watch(all[1])
    await enter(all[0], "ada")
    clock.jump(3_600_000)
    await clock.advance(20_000)
    clock.jump(-7_200_000)
    await clock.advance(20_000)
    expect(seen()).toEqual(["join"])
  })

  it("keeps the members that the log has, though it said that it is in doubt", async () => {
    const clock = virtualClock()
    const log = sharedLog(leasingLog(clock))
    let inDoubt = true
    const append: Log["append"] = async (...args) => {
      const outcome = await log.append(...args)
      if (inDoubt && args[0] === CHANNEL) throw new HoldfastError("in_doubt")
      return outcome
    }
    const { all } = nodes(1, {}, clock, { ...log, append })
    const ada = await enter(all[0], "ada")
    inDoubt = false
    await clock.advance(2_000)
    expect(await count(log)).toBe(1)
    ada.leave()
    await clock.settle()
    expect(await count(log)).toBe(0)
  })
})

it("a node that closes leaves nothing behind, and lists no channels that its members have left for long", async () => {
  const { clock, inside, all } = nodes(2)
  const ada = await enter(all[0], "ada")
  const list = `$nodes/${(await nodesIn(inside))[0]}`
  await enter(all[0], "bob", "room/other")
  expect(await count(inside, list)).toBe(2)
  ada.leave()
  await clock.advance(61_000)
  expect((await inside.read(list, FOLD)).entries.map(({ key }) => key)).toEqual(["room/other"])
  await clock.run(all[0].hub.close())
  expect(await count(inside, list)).toBe(0)
  expect(await nodesIn(inside)).toHaveLength(1)
})
