import { describe, expect, it } from "vitest"
import type { AppendOptions, Draft, Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { type Rig, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const enter = (id: number, mood: string) => ({ type: "enter", id, channel: "room/lobby", data: { mood } })
const leave = (id: number) => ({ type: "leave", id, channel: "room/lobby" })
const sameSession = { type: "hello", session: "the-same-session-0123456789", subscriptions: [] }

/** A memory log whose appends and reads can be held up, and fail. */
function troubledLog() {
  const log = memoryLog({ epoch: "e1" })
  const trouble = { slow: false, appendsFail: false, readsFail: false, reads: 0 }
  let held: (() => void)[] = []
  const troubled: Log = {
    ...log,
    append: async (channel: string, draft: Draft, options: AppendOptions) => {
      if (trouble.slow) await new Promise<void>((resolve) => held.push(resolve))
      if (trouble.appendsFail) throw new HoldfastError("log_unavailable")
      return log.append(channel, draft, options)
    },
    read: async (channel, range) => {
      trouble.reads++
      if (trouble.readsFail) throw new HoldfastError("log_unavailable")
      return log.read(channel, range)
    },
  }
  const release = () => {
    trouble.slow = false
    for (const resolve of held) resolve()
    held = []
  }
  return { log: troubled, trouble, release }
}

const membersOf = async (r: Rig<typeof room, undefined>) =>
  [...(await r.hub.channel("room/:room", { room: "lobby" }).members()).values()].map(({ mood }) => mood)

describe("a member", () => {
  it("may be in as many channels as a connection may subscribe to, and makes room when it leaves one", async () => {
    const r = rig(room, { channels: handlers, limits: { subscriptionsPerConnectionMax: 2 } })
    const peer = r.peer()
    await peer.hello()
    const enterRoom = async (id: number, name: string) => {
      peer.send({ ...enter(id, "calm"), channel: `room/${name}` })
      await r.clock.settle()
    }
    for (const [id, name] of ["a", "b", "b", "c"].entries()) await enterRoom(id, name)
    expect(peer.all("error")).toMatchObject([{ id: 3, code: "too_many_subscriptions", limit: 2 }])
    peer.send({ ...leave(4), channel: "room/a" })
    await r.clock.settle()
    await enterRoom(5, "c")
    expect(peer.last("result")).toMatchObject({ id: 5 })
  })

  it("does not stay when its client has left before the log had taken it in", async () => {
    const { log, trouble, release } = troubledLog()
    const r = rig(room, { channels: handlers }, log)
    const peer = r.peer()
    await peer.hello()
    trouble.slow = true
    peer.send(enter(1, "calm"))
    await r.clock.settle()
    peer.leave()
    await r.clock.settle()
    release()
    await r.clock.advance(10_000)
    expect(await membersOf(r)).toEqual([])
  })

  it("does not come in when its client is gone before its handler has answered", async () => {
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
    })
    const peer = r.peer()
    await peer.hello()
    peer.send(enter(1, "calm"))
    await r.clock.settle()
    peer.leave()
    answer()
    await r.clock.settle()
    expect((await r.log.head("room/lobby")).top).toBe(0)
  })

  it("stays as it came over the latest line, though the line before is served late", async () => {
    const answers: (() => void)[] = []
    const r = rig(room, {
      channels: {
        "room/:room": {
          presence: ({ data }) =>
            new Promise((resolve) => {
              answers.push(() => resolve({ name: "somebody", mood: data.mood }))
            }),
        },
      },
    })
    const [before, now] = [r.peer(), r.peer()]
    for (const [peer, mood] of [
      [before, "past"],
      [now, "present"],
    ] as const) {
      peer.send(sameSession)
      await r.clock.settle()
      peer.send(enter(1, mood))
      await r.clock.settle()
    }
    for (const answer of answers.reverse()) {
      answer()
      await r.clock.settle()
    }
    before.cut()
    await r.clock.advance(10_000)
    expect(await membersOf(r)).toEqual(["present"])
  })

  it("is as it came over the line opened last, whichever hello came first", async () => {
    const r = rig(room, { channels: handlers })
    const [now, before] = [r.peer(), r.peer()]
    for (const [peer, openedAt, mood] of [
      [now, 2, "present"],
      [before, 1, "past"],
    ] as const) {
      peer.send({ ...sameSession, openedAt })
      await r.clock.settle()
      peer.send(enter(1, mood))
      await r.clock.settle()
    }
    expect(before.last("error")).toMatchObject({ id: 1, code: "superseded" })
    expect(await membersOf(r)).toEqual(["present"])
    now.send(enter(2, "changed"))
    await r.clock.settle()
    expect(now.last("result")).toMatchObject({ id: 2 })
    expect(await membersOf(r)).toEqual(["changed"])
    // when that line is gone, the other one is what there is
    now.cut()
    before.send(enter(2, "past"))
    await r.clock.settle()
    expect(before.last("result")).toMatchObject({ id: 2 })
  })

  it("is as it came over the line of the last hello, when its client does not say when, and the clock was set back", async () => {
    const r = rig(room, { channels: handlers })
    const [before, now] = [r.peer(), r.peer()]
    for (const peer of [before, now]) {
      peer.send(sameSession)
      await r.clock.settle()
      peer.send(enter(1, "calm"))
      await r.clock.settle()
      r.clock.jump(-3_600_000)
    }
    expect(now.last("result")).toMatchObject({ id: 1 })
    before.send(enter(2, "past"))
    await r.clock.settle()
    expect(before.last("error")).toMatchObject({ id: 2, code: "superseded" })
  })

  it("goes with its client, though the log had it only after that one's next line was refused", async () => {
    const { log, trouble, release } = troubledLog()
    const r = rig(room, { channels: handlers }, log)
    const [before, now] = [r.peer(), r.peer()]
    trouble.slow = true
    before.send({ ...sameSession, openedAt: 1 })
    before.send(enter(1, "calm"))
    await r.clock.settle()
    trouble.slow = false
    trouble.appendsFail = true
    now.send({ ...sameSession, openedAt: 2 })
    now.send(enter(1, "wild"))
    await r.clock.settle()
    expect(now.last("error")).toMatchObject({ id: 1, code: "log_unavailable" })
    trouble.appendsFail = false
    release()
    await r.clock.settle()
    expect(await membersOf(r)).toEqual(["calm"])
    now.send(leave(2))
    await r.clock.settle()
    expect(await membersOf(r)).toEqual([])
  })

  it("stays as it was, and goes with its client, when a change of its data was refused", async () => {
    const { log, trouble } = troubledLog()
    const r = rig(room, { channels: handlers }, log)
    const peer = r.peer()
    await peer.hello()
    peer.send(enter(1, "calm"))
    await r.clock.settle()
    trouble.appendsFail = true
    peer.send(enter(2, "wild"))
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ id: 2, code: "log_unavailable" })
    trouble.appendsFail = false
    expect(await membersOf(r)).toEqual(["calm"])
    peer.leave()
    await r.clock.settle()
    expect(await membersOf(r)).toEqual([])
  })

  it("goes with its client, though the log refused a change of its data only after that one was gone", async () => {
    const { log, trouble, release } = troubledLog()
    const r = rig(room, { channels: handlers }, log)
    const peer = r.peer()
    await peer.hello()
    peer.send(enter(1, "calm"))
    await r.clock.settle()
    trouble.slow = true
    peer.send(enter(2, "wild"))
    await r.clock.settle()
    peer.leave()
    trouble.appendsFail = true
    release()
    await r.clock.settle()
    trouble.appendsFail = false
    await r.clock.advance(10_000)
    expect(await membersOf(r)).toEqual([])
  })

  it("goes after all when the log did not take its leave at first", async () => {
    const { log, trouble } = troubledLog()
    const r = rig(room, { channels: handlers }, log)
    const peer = r.peer()
    await peer.hello()
    peer.send(enter(1, "calm"))
    await r.clock.settle()
    trouble.appendsFail = true
    peer.send(leave(2))
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ id: 2, code: "log_unavailable" })
    trouble.appendsFail = false
    await r.clock.advance(1_000)
    expect(await membersOf(r)).toEqual([])
  })

  it("stays when it came back to a node, and another one that it was at meanwhile sees it off", async () => {
    const log: Log = { ...memoryLog({ epoch: "e1" }), shared: true }
    const nodes = [rig(room, { channels: handlers }, log), rig(room, { channels: handlers }, log)] as const
    const come = async (r: Rig<typeof room, undefined>) => {
      const peer = r.peer()
      peer.send(sameSession)
      await r.clock.settle()
      peer.send(enter(1, "calm"))
      await r.clock.settle()
      return peer
    }
    for (const r of nodes) (await come(r)).cut()
    await come(nodes[0])
    for (const r of nodes) await r.clock.advance(10_000)
    expect(await membersOf(nodes[0])).toEqual(["calm"])
  })
})

describe("members that a node left behind", () => {
  it("are looked for again when the log could not be read", async () => {
    const { log, trouble } = troubledLog()
    const before = rig(room, { channels: handlers }, log)
    const member = before.peer()
    await member.hello()
    member.send(enter(1, "calm"))
    await before.clock.settle()
    trouble.readsFail = true
    const after = rig(room, { channels: handlers, limits: { presenceLeaseMs: 5_000 } }, log)
    const watcher = after.peer()
    await watcher.hello({ channel: "room/lobby" })
    await after.clock.advance(500)
    trouble.readsFail = false
    await after.clock.advance(6_000)
    expect(await membersOf(after)).toEqual([])
  })

  it("are looked for once, however often a channel is opened", async () => {
    const { log, trouble } = troubledLog()
    const r = rig(room, { channels: handlers }, log)
    const peer = r.peer()
    await peer.hello()
    for (let n = 0; n < 20; n++) {
      peer.send({ type: "subscribe", channel: "room/lobby", position: { epoch: "e1", offset: 0 } })
      peer.send({ type: "unsubscribe", channel: "room/lobby" })
      await r.clock.settle()
    }
    expect(peer.all("subscribed")).toHaveLength(20)
    expect(trouble.reads).toBeLessThanOrEqual(1)
  })
})
