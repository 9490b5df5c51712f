import { describe, expect, it } from "vitest"
import { HoldfastError } from "../../src/protocol/error.ts"
import { type Node, nodes } from "./node-rig.ts"

const CHANNEL = "room/lobby"
const session = "the-same-session-0123456789"
let versions = 0

const placed = (mood = "calm") => ({ channel: CHANNEL, data: { mood }, version: ++versions })

async function request(node: Node, hello: object = { presence: [placed()] }) {
  const peer = node.request()
  peer.send({ type: "hello", session, subscriptions: [], ...hello })
  await node.clock.settle()
  return peer
}

async function say(node: Node, message: object) {
  const peer = await request(node, {})
  peer.send({ id: 1, version: ++versions, channel: CHANNEL, ...message } as never)
  await node.clock.settle()
  return peer
}

async function watch(node: Node) {
  const peer = node.peer()
  await peer.hello({ channel: CHANNEL })
  return () => peer.received.flatMap(({ type }) => (type === "join" || type === "left" ? type : []))
}

describe("a client that comes with requests", () => {
  it("is in while one of them that says so is open, and for a lease after the last, at any nodes", async () => {
    const { clock, all } = nodes(3)
    const seen = await watch(all[2])
    const poll = await request(all[0])
    await clock.advance(60_000)
    for (let n = 0; n < 20; n++) {
      const next = await request(all[n % 2] as Node)
      if (n === 0) poll.cut()
      next.leave()
      await clock.advance(n % 2 === 0 ? 7_999 : 100)
    }
    expect(seen()).toEqual(["join"])
    await clock.advance(7_900)
    expect(seen()).toEqual(["join", "left"])
  })

  it("enters by a message, and leaves by one at whichever node it says so, once", async () => {
    const { clock, all } = nodes(2)
    const seen = await watch(all[1])
    const entered = await say(all[0], { type: "enter", data: { mood: "calm" } })
    expect(entered.last("result")).toEqual({ type: "result", id: 1 })
    entered.leave()
    for (const node of [all[1], all[0]]) {
      const left = await say(node, { type: "leave" })
      expect(left.last("result")).toEqual({ type: "result", id: 1 })
    }
    await clock.advance(20_000)
    expect(seen()).toEqual(["join", "left"])
  })

  it("is in though its request was over before its handler had answered, and longer than a lease ago", async () => {
    const answers: (() => void)[] = []
    const presence = () =>
      new Promise<{ name: string; mood: string }>((resolve) => {
        answers.push(() => resolve({ name: "ada", mood: "calm" }))
      })
    const { clock, all } = nodes(1, { channels: { "room/:room": { presence, subscribe: true } } })
    const seen = await watch(all[0])
    ;(await request(all[0])).leave()
    await clock.advance(10_000)
    answers[0]?.()
    await clock.advance(7_999)
    expect(seen()).toEqual(["join"])
    await clock.advance(1)
    expect(seen()).toEqual(["join", "left"])
  })

  it("goes over to a connection and back, to other nodes, and nobody notices", async () => {
    const { clock, all } = nodes(3)
    const seen = await watch(all[2])
    for (let n = 0; n < 4; n++) {
      const poll = await request(all[n % 2] as Node)
      const connection = (all[(n + 1) % 2] as Node).peer()
      connection.send({ type: "hello", session, subscriptions: [], presence: [placed()] })
      await clock.settle()
      poll.cut()
      await clock.advance(30_000)
      connection.cut()
    }
    expect(seen()).toEqual(["join"])
    await clock.advance(3_000)
    expect(seen()).toEqual(["join", "left"])
  })

  it("is told what its hello is refused, and of nothing else", async () => {
    const presence = () => {
      throw new HoldfastError("not_allowed", "no room")
    }
    const { all } = nodes(1, { channels: { "room/:room": { presence } } })
    const poll = await request(all[0])
    expect(poll.received.slice(1)).toEqual([
      { type: "removed", channel: CHANNEL, code: "not_allowed", message: "no room" },
    ])
  })

  it("is removed between two requests when that is revoked", async () => {
    const { clock, all } = nodes(2)
    const seen = await watch(all[1])
    ;(await request(all[0], { token: "ada", presence: [placed()] })).leave()
    await clock.run(all[1].hub.channel("room/:room", { room: "lobby" }).revoke("ada"))
    await clock.settle()
    expect(seen()).toEqual(["join", "left"])
  })

  it("comes in when the log was away as its request came", async () => {
    const { clock, all } = nodes(2)
    const seen = await watch(all[1])
    all[0].way.open = false
    const poll = await request(all[0])
    await clock.advance(1_500)
    all[0].way.open = true
    await clock.advance(3_000)
    expect(seen()).toEqual(["join"])
    poll.cut()
    await clock.advance(8_000)
    expect(seen()).toEqual(["join", "left"])
  })

  it("stays for a lease when its node is drained or killed, and comes to another one", async () => {
    for (const end of ["drain", "kill"]) {
      const { clock, all } = nodes(3)
      const seen = await watch(all[2])
      await clock.advance(9_000)
      for (const member of ["stays", "goes"].map((name) => name.padEnd(22, "-")))
        (await request(all[0], { session: member, presence: [placed()] })).leave()
      if (end === "kill") all[0].kill()
      else await clock.run(all[0].hub.handOverMembers().then(() => all[0].hub.close()))
      await clock.advance(4_000)
      await request(all[1], { session: "stays".padEnd(22, "-"), presence: [placed()] })
      await clock.advance(2_000)
      expect(seen()).toEqual(["join", "join"])
      await clock.advance(10_000)
      expect(seen()).toEqual(["join", "join", "left"])
    }
  })
})
