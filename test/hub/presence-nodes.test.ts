import { describe, expect, it } from "vitest"
import { memberBody } from "../../src/hub/channel/membership.ts"
import { NODES_CHANNEL } from "../../src/hub/cluster/nodes.ts"
import type { Entry, Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { decodeBody } from "../../src/protocol/body.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { sharedLog } from "../../src/testing/shared-log.ts"
import { type Node, nodes } from "./node-rig.ts"
import type { Peer } from "./rig.ts"

const CHANNEL = "room/lobby"

async function enter(node: Node, session: string, mood: string, openedAt?: number): Promise<Peer> {
  const peer = node.peer()
  const presence = [{ channel: CHANNEL, data: { mood } }]
  peer.send({ type: "hello", session: session.padEnd(24, "-"), openedAt, subscriptions: [], presence })
  await node.clock.settle()
  return peer
}

async function watch(node: Node): Promise<Peer> {
  const peer = node.peer()
  await peer.hello({ channel: CHANNEL })
  return peer
}

const moodsOf = async (log: Log) => {
  const { top } = await log.head(CHANNEL)
  const range = { after: 0, through: top, select: "fold", entriesMax: 1_000, bytesMax: 1e6 } as const
  return (await log.read(CHANNEL, range)).entries.map(
    ({ body }) => (decodeBody(memberBody(body)) as { mood: string }).mood,
  )
}

const moods = async (log: Log) => (await moodsOf(log)).length

describe("members of a node that is killed", () => {
  it("are seen off by those that follow the channel when its lease is over, and no sooner", async () => {
    const { clock, inside, all } = nodes(3)
    const watchers = [await watch(all[1]), await watch(all[2])]
    await enter(all[0], "ada", "calm")
    await clock.advance(10_000)
    all[0].kill()
    await clock.advance(5_900)
    expect(await moods(inside)).toBe(1)
    await clock.advance(3_000)
    expect(await moods(inside)).toBe(0)
    for (const watcher of watchers) expect(watcher.all("left")).toHaveLength(1)
  })

  it("stay when they have come to another node meanwhile, and were never away", async () => {
    const { clock, all } = nodes(2)
    const watcher = await watch(all[1])
    await enter(all[0], "ada", "calm")
    all[0].kill()
    await enter(all[1], "ada", "calm")
    await clock.advance(60_000)
    expect(watcher.all("left")).toEqual([])
    expect(await all[1].hub.channel("room/:room", { room: "lobby" }).members()).toHaveProperty("size", 1)
  })

  it("are not shown by a node that nobody follows the channel at, and seen off as soon as somebody does", async () => {
    const { clock, inside, all } = nodes(2)
    await enter(all[0], "ada", "calm")
    all[0].kill()
    await clock.advance(9_000)
    expect(await moods(inside)).toBe(1)
    expect(await all[1].hub.channel("room/:room", { room: "lobby" }).members()).toEqual(new Map())
    await watch(all[1])
    expect(await moods(inside)).toBe(0)
  })

  it("are seen off by a node that has started since", async () => {
    const { clock, inside, all, start } = nodes(1)
    await enter(all[0], "ada", "calm")
    all[0].kill()
    await clock.advance(60_000)
    await watch(start())
    await clock.advance(7_000)
    expect(await moods(inside)).toBe(1)
    await clock.advance(1_100)
    expect(await moods(inside)).toBe(0)
  })

  it("are seen off page by page, however many", async () => {
    const { clock, inside, all } = nodes(2)
    const watcher = await watch(all[1])
    for (let n = 0; n < 1_200; n++) void enter(all[0], `member-${n}`, "calm")
    await clock.advance(100)
    expect(watcher.all("join")).toHaveLength(1_200)
    all[0].kill()
    await clock.advance(9_000)
    expect(await moods(inside)).toBe(0)
    expect(watcher.all("left")).toHaveLength(1_200)
  })

  it("that had come in just before, and are told of later, are seen off a lease later", async () => {
    const { clock, inside, all } = nodes(2)
    await watch(all[1])
    await enter(all[0], "ada", "calm")
    const [{ body }] = (
      await inside.read(CHANNEL, { after: 0, through: 9, select: "fold", entriesMax: 9, bytesMax: 1e6 })
    ).entries as unknown as [Entry]
    all[0].kill()
    await clock.advance(9_000)
    const keep = { events: 10, forMs: Number.POSITIVE_INFINITY, bytes: 1e6 }
    await inside.append(CHANNEL, { kind: "join", name: "", key: "late", body, at: 0 }, { keep })
    await clock.advance(9_000)
    expect(await moods(inside)).toBe(0)
  })
})

describe("a client with lines to two nodes", () => {
  const leave = { type: "leave", id: 1, channel: CHANNEL }
  const membersAt = async ({ hub }: Node) => {
    const members = await hub.channel("room/:room", { room: "lobby" }).members()
    return [...members.values()].map((member) => (member as { mood: string }).mood)
  }

  it("stays when what it had said over the line before arrives behind what it says now", async () => {
    const { clock, all } = nodes(2)
    for (const node of all) await watch(node)
    await enter(all[1], "ada", "wild", 2)
    const before = await enter(all[0], "ada", "calm", 1)
    before.send(leave)
    await clock.advance(5_000)
    expect(await membersAt(all[0])).toEqual(["wild"])
  })

  it("leaves when it says so over the line that it has opened last", async () => {
    const { clock, all } = nodes(2)
    for (const node of all) await watch(node)
    await enter(all[0], "ada", "calm", 1)
    const now = await enter(all[1], "ada", "wild", 2)
    now.send(leave)
    await clock.advance(5_000)
    expect(await membersAt(all[0])).toEqual([])
  })
})

describe("a client whose line before is still there at another node", () => {
  const again = { type: "enter", id: 7, channel: CHANNEL, data: { mood: "past" } }

  it("is as it came last, though what it had said over the line before arrives later, and ends", async () => {
    const { clock, inside, all } = nodes(2)
    const [there, here] = all
    const now = await enter(here, "ada", "wild", 2)
    const before = await enter(there, "ada", "calm", 1)
    await clock.settle()
    expect(await moodsOf(inside)).toEqual(["wild"])
    before.cut()
    await clock.advance(10_000)
    expect(await moodsOf(inside)).toEqual(["wild"])
    now.leave()
    await clock.settle()
    expect(await moodsOf(inside)).toEqual([])
  })

  it("is not entered by what it had said there any more, whether it has left since or not", async () => {
    const { clock, inside, all } = nodes(2)
    const before = await enter(all[0], "ada", "calm", 1)
    const now = await enter(all[1], "ada", "wild", 2)
    before.send(again)
    await clock.settle()
    expect(before.last("error")).toMatchObject({ id: 7, code: "superseded" })
    now.send({ type: "leave", id: 8, channel: CHANNEL })
    await clock.settle()
    before.send(again)
    await clock.settle()
    expect(before.all("error")).toHaveLength(2)
    expect(await moodsOf(inside)).toEqual([])
  })

  it("enters over that line when its next one is lost", async () => {
    const { clock, inside, all } = nodes(2)
    const before = await enter(all[0], "ada", "calm", 1)
    const now = await enter(all[1], "ada", "wild", 2)
    now.cut()
    await clock.advance(10_000)
    before.send(again)
    await clock.settle()
    expect(before.last("result")).toMatchObject({ id: 7 })
    expect(await moodsOf(inside)).toEqual(["past"])
  })
})

it("a channel is followed while members of this node are in it, though nobody subscribes", async () => {
  const log = sharedLog(memoryLog({ epoch: "e1" }))
  let watched = 0
  const watching: Log["watch"] = async (channel, listener) => {
    const stop = await log.watch(channel, listener)
    if (channel !== CHANNEL) return stop
    watched++
    return () => {
      watched--
      stop()
    }
  }
  const { clock, all } = nodes(1, {}, { ...log, watch: watching })
  const [ada, bob] = [await enter(all[0], "ada", "calm"), await enter(all[0], "bob", "calm")]
  expect(watched).toBe(1)
  ada.leave()
  await clock.settle()
  expect(watched).toBe(1)
  bob.leave()
  await clock.settle()
  expect(watched).toBe(0)
})

it("a member that the log has, though it said that it is in doubt, is seen off, or is as it was before", async () => {
  const log = sharedLog(memoryLog({ epoch: "e1" }))
  let inDoubt = true
  const append: Log["append"] = async (channel, draft, options) => {
    const appended = await log.append(channel, draft, options)
    if (draft.kind === "join" && inDoubt) throw new HoldfastError("in_doubt")
    return appended
  }
  const { clock, all } = nodes(1, {}, { ...log, append })
  const ada = await enter(all[0], "ada", "calm")
  expect(ada.last("error")).toMatchObject({ code: "in_doubt" })
  expect(await moodsOf(log)).toEqual([])
  inDoubt = false
  ada.send({ type: "enter", id: 7, channel: CHANNEL, data: { mood: "calm" } })
  await clock.advance(10_000)
  expect(await moodsOf(log)).toEqual(["calm"])
  inDoubt = true
  ada.send({ type: "enter", id: 8, channel: CHANNEL, data: { mood: "wild" } })
  await clock.settle()
  inDoubt = false
  await clock.advance(10_000)
  expect(ada.last("error")).toMatchObject({ id: 8, code: "in_doubt" })
  expect(await moodsOf(log)).toEqual(["calm"])
})

describe("a node that was out of touch", () => {
  it("enters its members again when others have seen them off", async () => {
    const { clock, inside, all } = nodes(2)
    const watcher = await watch(all[1])
    await enter(all[0], "ada", "calm")
    await clock.advance(2_000)
    all[0].way.open = false
    await clock.advance(15_000)
    expect(await moods(inside)).toBe(0)
    all[0].way.open = true
    await clock.advance(3_000)
    expect(await moods(inside)).toBe(1)
    await clock.advance(30_000)
    expect(watcher.received.filter(({ type }) => type === "join" || type === "left")).toMatchObject([
      { type: "join" },
      { type: "left" },
      { type: "join" },
    ])
  })

  it("leaves alone those who went to another node, and does not enter whose line was cut", async () => {
    const { clock, all } = nodes(2)
    const watcher = await watch(all[1])
    await enter(all[0], "ada", "calm")
    const gone = await enter(all[0], "bob", "calm")
    await clock.advance(2_000)
    all[0].way.open = false
    await enter(all[1], "ada", "wild")
    await clock.advance(15_000)
    gone.cut()
    all[0].way.open = true
    await clock.advance(60_000)
    const told = watcher.received.filter(({ type }) => type === "join" || type === "left")
    expect(told.map(({ type }) => type)).toEqual(["join", "join", "join", "left"])
    const members = await all[1].hub.channel("room/:room", { room: "lobby" }).members()
    expect([...members.values()]).toEqual([{ name: "somebody", mood: "wild" }])
  })

  it("takes nobody for gone before a lease is over since it is back", async () => {
    const { clock, all } = nodes(2)
    const watcher = await watch(all[1])
    await enter(all[0], "ada", "calm")
    await clock.advance(2_000)
    for (const node of all) node.way.open = false
    await clock.advance(30_000)
    for (const node of all) node.way.open = true
    await clock.advance(30_000)
    expect(watcher.all("left")).toEqual([])
  })

  it("takes nobody for gone while it is not told of anything", async () => {
    const { clock, all } = nodes(2)
    const watcher = await watch(all[1])
    await enter(all[0], "ada", "calm")
    await clock.advance(2_000)
    all[1].way.told = false
    await clock.advance(60_000)
    all[1].way.told = true
    await clock.advance(60_000)
    expect(watcher.all("left")).toEqual([])
  })

  it("is not taken for gone while it enters members again, though its heartbeat is not heard yet", async () => {
    const log = sharedLog(memoryLog({ epoch: "e1" }))
    let late = false
    let joins = 0
    const shared: Log = {
      ...log,
      append: (channel, draft, options) => {
        if (draft.kind === "join" && ++joins > 10) throw new Error("without an end")
        if (!late || channel !== NODES_CHANNEL || draft.kind !== "set")
          return log.append(channel, draft, options)
        return new Promise((resolve) =>
          clock.after(5_000, () => resolve(log.append(channel, draft, options))),
        )
      },
    }
    const { clock, inside, all } = nodes(2, {}, shared)
    for (const node of all) await watch(node)
    await enter(all[0], "ada", "calm")
    all[0].way.open = false
    await clock.advance(20_000)
    expect(await moods(inside)).toBe(0)
    late = true
    all[0].way.open = true
    await enter(all[1], "bob", "calm")
    await clock.advance(1_000)
    expect(await moods(inside)).toBe(2)
    late = false
    await clock.advance(60_000)
    expect(await moods(inside)).toBe(2)
    expect(joins).toBeLessThan(5)
  })

  it("enters members again that were seen off by mistake", async () => {
    const { clock, inside, all } = nodes(2)
    await watch(all[0])
    await enter(all[0], "ada", "calm")
    const [{ key, offset }] = (
      await inside.read(CHANNEL, { after: 0, through: 9, select: "fold", entriesMax: 9, bytesMax: 1e6 })
    ).entries as unknown as [Entry]
    const keep = { events: 10, forMs: Number.POSITIVE_INFINITY, bytes: 1e6 }
    const body = new Uint8Array([0xc3])
    await inside.append(CHANNEL, { kind: "left", name: "", key, body, at: 0 }, { keep, replaces: offset })
    await clock.settle()
    expect(await moods(inside)).toBe(1)
  })
})

describe("a client that has come to another node", () => {
  it("stays when what it asked of the node before was slower, and that line ends after", async () => {
    const { clock, inside, all } = nodes(2)
    await watch(all[0])
    await watch(all[1])
    await enter(all[1], "ada", "calm")
    const before = await enter(all[0], "ada", "calm")
    before.cut()
    await clock.advance(10_000)
    expect(await moods(inside)).toBe(1)
  })

  it("stays when the line to the node before had ended before the log took what it asked for", async () => {
    const inside = sharedLog(memoryLog({ epoch: "e1" }))
    const held: (() => void)[] = []
    let isSlow = false
    const append: Log["append"] = async (...args) => {
      if (isSlow && args[1].kind === "join") await new Promise<void>((resolve) => held.push(resolve))
      return inside.append(...args)
    }
    const { clock, all } = nodes(2, {}, { ...inside, append })
    await watch(all[0])
    await watch(all[1])
    isSlow = true
    const before = await enter(all[0], "ada", "calm")
    before.cut()
    isSlow = false
    await enter(all[1], "ada", "calm")
    await clock.advance(4_000)
    for (const release of held) release()
    await clock.advance(10_000)
    expect(held).toHaveLength(1)
    expect(await moods(inside)).toBe(1)
  })

  it("is gone when it leaves there, though the line to the node before still seems to stand", async () => {
    const { clock, inside, all } = nodes(2)
    await watch(all[0])
    await watch(all[1])
    await enter(all[0], "ada", "calm")
    const next = await enter(all[1], "ada", "calm")
    next.send({ type: "leave", id: 1, channel: CHANNEL })
    await clock.advance(10_000)
    expect(await moods(inside)).toBe(0)
  })
})

it("a wall clock that is set does not matter", async () => {
  const { clock, all } = nodes(2)
  const watcher = await watch(all[1])
  await enter(all[0], "ada", "calm")
  clock.jump(3_600_000)
  await clock.advance(20_000)
  clock.jump(-7_200_000)
  await clock.advance(20_000)
  expect(watcher.all("left")).toEqual([])
})

it("nodes that end in good order leave no key behind", async () => {
  const { clock, inside, all } = nodes(3)
  await clock.advance(3_000)
  await clock.run(all[0].hub.close())
  all[1].kill()
  await clock.advance(10_000)
  const range = { after: 0, through: 99, select: "fold", entriesMax: 99, bytesMax: 1e6 } as const
  expect((await inside.read("$nodes", range)).entries).toHaveLength(1)
})
