import { describe, expect, it } from "vitest"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { sharedLog } from "../../src/testing/shared-log.ts"
import { type Node, nodes } from "./node-rig.ts"

const CHANNEL = "room/lobby"
const presence = [{ channel: CHANNEL, data: { mood: "calm" } }]
const session = "the-same-session-0123456789"

async function request(node: Node, hello: object = { presence }) {
  const peer = node.request()
  peer.send({ type: "hello", session, subscriptions: [], ...hello })
  await node.clock.settle()
  return peer
}

async function watch(node: Node) {
  const peer = node.peer()
  await peer.hello({ channel: CHANNEL })
  return () => peer.received.filter(({ type }) => type === "join" || type === "left").map(({ type }) => type)
}

const sizeOf = async ({ hub }: Node) => (await hub.channel("room/:room", { room: "lobby" }).members()).size

describe("a client whose requests go to one node after the other", () => {
  it("is told of once while each of them hears of it within a lease", async () => {
    const { clock, all } = nodes(3)
    const told = await watch(all[2])
    for (let n = 0; n < 60; n++) {
      const poll = await request(all[n % 2] as Node)
      await clock.advance(1_000)
      poll.cut()
    }
    expect(told()).toEqual(["join"])
    await clock.advance(10_000)
    // the node that it came to last has answered for it in the end
    expect(told()).toEqual(["join", "join", "left"])
  })

  it("does not take back with a request of before what it has entered over a line since", async () => {
    const { clock, all } = nodes(2)
    const told = await watch(all[1])
    const before = await request(all[0], { openedAt: 1, presence })
    const line = all[0].peer()
    line.send({ type: "hello", session, openedAt: 2, subscriptions: [], presence })
    await clock.settle()
    before.cut()
    const late = await request(all[0], { openedAt: 1, presence })
    late.cut()
    await clock.advance(60_000)
    expect(told()).not.toContain("left")
  })

  it("is handed over without leaving when it does not come to a node any more", async () => {
    const { clock, all } = nodes(3)
    const told = await watch(all[2])
    for (let n = 0; n < 8; n++) {
      const poll = await request(all[n % 2] as Node)
      await clock.advance(25_000)
      poll.cut()
    }
    expect(told()).not.toContain("left")
    expect(told().length).toBeLessThanOrEqual(8)
    await clock.advance(9_000)
    expect(told().at(-1)).toBe("left")
    expect(told().filter((type) => type === "left")).toHaveLength(1)
  })

  it("leaves at whichever node it says so", async () => {
    const { clock, all } = nodes(3)
    const told = await watch(all[2])
    const poll = await request(all[0])
    poll.cut()
    const send = await request(all[1], {})
    send.send({ type: "leave", id: 1, channel: CHANNEL })
    await clock.settle()
    expect(send.last("result")).toEqual({ type: "result", id: 1 })
    expect(told()).toEqual(["join", "left"])
    // an answer may have been lost
    send.send({ type: "leave", id: 2, channel: CHANNEL })
    await clock.advance(30_000)
    expect(send.last("result")).toEqual({ type: "result", id: 2 })
    expect(told()).toEqual(["join", "left"])
  })

  it("is in when it comes back to a node that nobody subscribes at, and had left at another one", async () => {
    const { clock, all } = nodes(2)
    for (const node of [all[0], all[1]]) (await request(node)).cut()
    const send = await request(all[0], {})
    send.send({ type: "leave", id: 1, channel: CHANNEL })
    await clock.settle()
    expect(await sizeOf(all[0])).toBe(0)
    await request(all[1])
    expect(await sizeOf(all[0])).toBe(1)
  })

  it("goes from the node that was asked for it, though the log said of what that one told that it is in doubt", async () => {
    const inside = sharedLog(memoryLog({ epoch: "e1" }))
    let joins = 0
    const append: Log["append"] = async (channel, draft, options) => {
      const appended = await inside.append(channel, draft, options)
      if (draft.kind === "join" && ++joins === 2) throw new HoldfastError("in_doubt")
      return appended
    }
    const { clock, all } = nodes(2, {}, { ...inside, append })
    ;(await request(all[0])).cut()
    const poll = await request(all[1])
    await clock.advance(9_000)
    expect(joins).toBeGreaterThan(1)
    poll.cut()
    await clock.advance(9_000)
    expect(await sizeOf(all[1])).toBe(0)
  })

  it("leaves after all when the log could not say where it was at first", async () => {
    const { clock, all } = nodes(2)
    await request(all[0])
    const send = await request(all[0], {})
    all[0].way.open = false
    send.send({ type: "leave", id: 1, channel: CHANNEL })
    await clock.advance(1_500)
    all[0].way.open = true
    expect(send.last("error")).toMatchObject({ id: 1, code: "log_unavailable" })
    await clock.advance(5_000)
    expect(await sizeOf(all[1])).toBe(0)
  })

  it("stays when the node that has told of it is killed, and it comes to another one", async () => {
    const { clock, all } = nodes(3)
    const told = await watch(all[2])
    await request(all[0])
    await request(all[1])
    await clock.advance(1_000)
    all[0].kill()
    await clock.advance(30_000)
    expect(told()).toEqual(["join", "join"])
    expect(await sizeOf(all[2])).toBe(1)
  })

  it("stays while a request is open that came when the log was away", async () => {
    const { clock, all } = nodes(3)
    all[1].way.open = false
    await request(all[1])
    await clock.advance(1_500)
    all[1].way.open = true
    const send = await request(all[0], {})
    send.send({ type: "enter", id: 1, channel: CHANNEL, data: { mood: "calm" } })
    await clock.settle()
    send.leave()
    await clock.advance(60_000)
    expect(await sizeOf(all[2])).toBe(1)
  })

  it("stays when it comes from a line to another node, wherever it came with requests before", async () => {
    const { clock, all } = nodes(3)
    const told = await watch(all[2])
    const poll = async (node: Node, openedAt: number) => {
      const peer = await request(node, { openedAt, presence })
      await clock.advance(1_000)
      peer.cut()
    }
    for (const node of [all[0], all[1]]) await poll(node, 1)
    const line = all[0].peer()
    line.send({ type: "hello", session, openedAt: 2, subscriptions: [], presence })
    await clock.settle()
    line.cut()
    for (let n = 0; n < 20; n++) await poll(all[1], 3)
    expect(told()).toEqual(["join", "join", "join"])
  })

  it("stays when it comes from a line to a node that has yet to see that the line before is cut", async () => {
    const { clock, all } = nodes(3)
    const told = await watch(all[2])
    for (const openedAt of [1, 2]) {
      const line = (all[openedAt - 1] as Node).peer()
      line.send({ type: "hello", session, openedAt, subscriptions: [], presence })
      await clock.settle()
      if (openedAt === 2) line.cut()
    }
    await request(all[0], { openedAt: 3, presence })
    await clock.advance(20_000)
    expect(told()).toEqual(["join", "join", "join"])
  })

  it("is handed over without leaving when the node that has told of it is drained", async () => {
    const { clock, all } = nodes(3)
    const told = await watch(all[2])
    const poll = await request(all[0])
    poll.cut()
    const drained = all[0].hub.handOverMembers().then(() => all[0].hub.close())
    for (let n = 0; n < 30; n++) {
      const next = await request(all[1])
      await clock.advance(1_000)
      next.cut()
    }
    await drained
    expect(told()).toEqual(["join", "join"])
  })

  it("is told of anew when it changes its data at another node", async () => {
    const { all } = nodes(2)
    await request(all[0])
    await request(all[1], { presence: [{ channel: CHANNEL, data: { mood: "wild" } }] })
    const members = await all[0].hub.channel("room/:room", { room: "lobby" }).members()
    expect([...members.values()]).toEqual([{ name: "somebody", mood: "wild" }])
  })

  it("is not told of when it has gone for a lease before the log has said where it was", async () => {
    const inside = sharedLog(memoryLog({ epoch: "e1" }))
    const held: (() => void)[] = []
    let isSlow = false
    const append: Log["append"] = async (...args) => {
      if (isSlow && args[0] === CHANNEL) await new Promise<void>((resolve) => held.push(resolve))
      return inside.append(...args)
    }
    const { clock, all } = nodes(2, {}, { ...inside, append })
    isSlow = true
    const poll = await request(all[0])
    poll.cut()
    await clock.advance(9_000)
    isSlow = false
    for (const release of held) release()
    await clock.advance(20_000)
    expect(await sizeOf(all[1])).toBe(0)
  })

  it("is seen off in time with many others when their node is killed, however many pages they fill", async () => {
    const { clock, all } = nodes(2, { limits: { pageEntriesMax: 2 } })
    const told = await watch(all[1])
    for (let n = 0; n < 40; n++) await request(all[0], { presence, session: `${n}-${session}` })
    await clock.advance(1_000)
    expect(told()).toHaveLength(40)
    all[0].kill()
    await clock.advance(10_000)
    expect(told().filter((type) => type === "left")).toHaveLength(40)
  })

  it("is seen off by the others when its node is killed, and it does not come back", async () => {
    const { clock, all } = nodes(2)
    const told = await watch(all[1])
    await request(all[0])
    all[0].kill()
    await clock.advance(9_000)
    expect(told()).toEqual(["join", "left"])
  })

  it("is in at the end of each request, though its nodes share no bus", async () => {
    const { bus: _, ...log } = sharedLog(memoryLog({ epoch: "e1" }))
    const { clock, all } = nodes(2, {}, log)
    for (let n = 0; n < 12; n++) {
      const poll = await request(all[n % 2] as Node)
      await clock.advance(n % 3 === 0 ? 25_000 : 500)
      const members = await all[0].hub.channel("room/:room", { room: "lobby" }).members()
      if (n % 3 !== 0) expect(members.size).toBe(1)
      poll.cut()
    }
  })
})
