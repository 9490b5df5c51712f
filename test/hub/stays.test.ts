import { describe, expect, it } from "vitest"
import { HoldfastError } from "../../src/protocol/error.ts"
import { type Rig, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const session = "the-same-session-0123456789"
const presence = [{ channel: "room/lobby", data: { mood: "calm" } }]
const enter = (id: number) => ({ type: "enter", id, ...presence[0] })
const limits = { presenceLeaseMs: 10_000, presenceGraceMs: 3_000, heartbeatMs: 1_000_000 }

async function request(r: Rig<typeof room, undefined>, hello: object) {
  const peer = r.request()
  peer.send({ type: "hello", session, subscriptions: [], ...hello })
  await r.clock.settle()
  return peer
}

const membersOf = async (r: Rig<typeof room, undefined>) =>
  [...(await r.hub.channel("room/:room", { room: "lobby" }).members()).values()].map(({ mood }) => mood)

const topOf = async (r: Rig<typeof room, undefined>) => (await r.log.head("room/lobby")).top

describe("a client that comes with requests", () => {
  it("is in while one of them that says so is open, however long, and for a lease after the last", async () => {
    const r = rig(room, { channels: handlers, limits })
    const poll = await request(r, { presence })
    await r.clock.advance(60_000)
    poll.cut()
    await r.clock.advance(9_000)
    const next = await request(r, { presence })
    next.leave()
    await r.clock.advance(9_999)
    expect(await membersOf(r)).toEqual(["calm"])
    expect(await topOf(r)).toBe(1)
    await r.clock.advance(1)
    expect(await membersOf(r)).toEqual([])
  })

  it("stays while one request is open and another one ends", async () => {
    const r = rig(room, { channels: handlers, limits })
    const poll = await request(r, { presence })
    const send = await request(r, { presence })
    send.leave()
    await r.clock.advance(20_000)
    expect(await membersOf(r)).toEqual(["calm"])
    poll.cut()
    await r.clock.advance(10_000)
    expect(await membersOf(r)).toEqual([])
  })

  it("does not take back with a request of before what it has entered over a line since", async () => {
    const r = rig(room, { channels: handlers, limits })
    const before = await request(r, { openedAt: 1, presence })
    const line = r.peer()
    line.send({ type: "hello", session, openedAt: 2, subscriptions: [] })
    await r.clock.settle()
    line.send(enter(1))
    await r.clock.settle()
    before.cut()
    const late = await request(r, { openedAt: 1, presence })
    late.cut()
    expect(late.last("error")).toMatchObject({ code: "superseded" })
    await r.clock.advance(60_000)
    expect(await membersOf(r)).toEqual(["calm"])
    line.leave()
    await r.clock.settle()
    expect(await membersOf(r)).toEqual([])
  })

  it("is answered when it enters by a message, and stays for a lease", async () => {
    const r = rig(room, { channels: handlers, limits })
    const send = await request(r, {})
    send.send(enter(1))
    await r.clock.settle()
    expect(send.last("result")).toEqual({ type: "result", id: 1 })
    send.leave()
    await r.clock.advance(9_999)
    expect(await membersOf(r)).toEqual(["calm"])
    await r.clock.advance(1)
    expect(await membersOf(r)).toEqual([])
  })

  it("leaves at once when it says so", async () => {
    const r = rig(room, { channels: handlers, limits })
    const poll = await request(r, { presence })
    poll.cut()
    const send = await request(r, {})
    send.send({ type: "leave", id: 1, channel: "room/lobby" })
    await r.clock.settle()
    expect(send.last("result")).toEqual({ type: "result", id: 1 })
    expect(await membersOf(r)).toEqual([])
    await r.clock.advance(20_000)
    expect(await topOf(r)).toBe(2)
  })

  it("stays in when it has left and come back, and a request of before ends while one of since is open", async () => {
    const r = rig(room, { channels: handlers, limits })
    const before = await request(r, { presence })
    const send = await request(r, {})
    send.send({ type: "leave", id: 1, channel: "room/lobby" })
    send.send(enter(2))
    await r.clock.settle()
    send.leave()
    const poll = await request(r, { presence })
    before.cut()
    await r.clock.advance(20_000)
    expect(await membersOf(r)).toEqual(["calm"])
    poll.cut()
    await r.clock.advance(10_000)
    expect(await membersOf(r)).toEqual([])
  })

  it("is in though its request was over before its handler had answered", async () => {
    let answer = () => {}
    const r = rig(room, {
      channels: {
        "room/:room": {
          presence: ({ data }) =>
            new Promise((resolve) => {
              answer = () => resolve({ name: "somebody", mood: data.mood })
            }),
        },
      },
      limits,
    })
    const send = await request(r, { presence })
    send.leave()
    answer()
    await r.clock.advance(9_999)
    expect(await membersOf(r)).toEqual(["calm"])
    await r.clock.advance(1)
    expect(await membersOf(r)).toEqual([])
  })

  it("is told what is refused, with the channel, and of nothing else", async () => {
    const r = rig(room, {
      channels: {
        "room/:room": {
          presence: () => {
            throw new HoldfastError("not_allowed", "no room")
          },
        },
      },
    })
    const poll = await request(r, { presence })
    expect(poll.all("error")).toEqual([
      { type: "error", channel: "room/lobby", code: "not_allowed", message: "no room" },
    ])
    expect(poll.all("result")).toEqual([])
  })

  it("may go on by a connection that lasts, and come back from there, and is one member", async () => {
    const r = rig(room, { channels: handlers, limits })
    const poll = await request(r, { presence })
    poll.cut()
    const socket = r.peer()
    socket.send({ type: "hello", session, subscriptions: [], presence })
    await r.clock.advance(30_000)
    expect(await membersOf(r)).toEqual(["calm"])
    socket.cut()
    await request(r, { presence })
    await r.clock.advance(30_000)
    expect(await membersOf(r)).toEqual(["calm"])
    expect(await topOf(r)).toBe(1)
  })
})

it("a connection that lasts enters with its hello too, and leaves when it closes", async () => {
  const r = rig(room, { channels: handlers })
  const peer = r.peer()
  peer.send({ type: "hello", session, subscriptions: [], presence })
  await r.clock.settle()
  expect(await membersOf(r)).toEqual(["calm"])
  peer.leave()
  await r.clock.settle()
  expect(await membersOf(r)).toEqual([])
})
