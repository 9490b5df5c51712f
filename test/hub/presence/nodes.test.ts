import { expect, test } from "vitest"
import { deadBehind, followersOf, type NodeState } from "../../../src/hub/cluster/ring.ts"
import { world } from "./world.ts"

test.each(["connect", "request"] as const)(
  "members of a drained node stay when they %s elsewhere",
  async (how) => {
    const { clock, a, b, ada, seen } = await world()
    const before = await ada[how](a, "calm")
    await clock.advance(5_000)
    const drained = a.hub.handOverMembers().then(() => a.hub.close())
    before.cut()
    await ada[how](b, "calm")
    await clock.run(drained)
    await clock.advance(30_000)
    expect(seen()).toEqual(["join calm"])
  },
)

test("members of a node that closes leave, those of requests a lease later", async () => {
  const { clock, a, ada, bob, moods } = await world()
  await ada.connect(a, "connected")
  const poll = await bob.request(a, "polling")
  await clock.advance(5_000)
  poll.cut()
  await clock.run(a.hub.close())
  expect(await moods()).toEqual(["polling"])
  await clock.advance(12_000)
  expect(await moods()).toEqual([])
})

test("nodes that close or are killed leave no key behind", async () => {
  const { clock, a, b, c } = await world()
  await clock.advance(12_000)
  await clock.run(a.hub.close())
  b.kill()
  await clock.advance(12_000)
  const range = { after: 0, through: 999, select: "fold", entriesMax: 99, bytesMax: 1e6 } as const
  expect((await c.log.read("$nodes", range)).entries).toHaveLength(1)
})

test("a wall clock that is set removes no member", async () => {
  const { clock, a, ada, seen } = await world()
  await ada.connect(a, "calm")
  for (const ms of [3_600_000, -7_200_000]) {
    clock.jump(ms)
    await clock.advance(20_000)
  }
  expect(seen()).toEqual(["join calm"])
})

test("a node lists the channels of its members, and those that they left of late", async () => {
  const { clock, a, c, ada, bob } = await world()
  const range = { after: 0, through: 999, select: "fold", entriesMax: 99, bytesMax: 1e6 } as const
  const lives = (await c.log.read("$nodes", range)).entries.map(({ key }) => key)
  const listed = async () => {
    const pages = await Promise.all(lives.map((life) => c.log.read(`$nodes/${life}`, range)))
    return pages.flatMap(({ entries }) => entries.map(({ key }) => key)).sort()
  }
  const peer = await ada.connect(a, "calm")
  const other = await bob.connect(a)
  other.send({ type: "enter", id: 1, channel: "room/other", version: 1, data: { mood: "calm" } })
  await clock.settle()
  peer.leave()
  await clock.advance(59_000)
  expect(await listed()).toEqual(["room/lobby", "room/other"])
  await clock.advance(1_000)
  expect(await listed()).toEqual(["room/other"])
  await clock.run(a.hub.close())
  expect(await listed()).toEqual([])
})

test("the living node before a dead one in the ring sees to it, however many are dead between them", () => {
  const ring: [string, NodeState][] = [
    ["d", "alive"],
    ["b", "dead"],
    ["a", "alive"],
    ["e", "dead"],
    ["c", "left"],
  ]
  expect(["a", "d"].map((life) => followersOf(new Map(ring), life))).toEqual([
    ["c", "d"],
    ["a", "c"],
  ])
  expect(["a", "d"].map((life) => deadBehind(new Map(ring), life))).toEqual([["b"], ["e"]])
  expect(deadBehind(new Map([...ring, ["a", "dead"]]), "d")).toEqual(["a", "b", "e"])
})
