import { describe, expect, it } from "vitest"
import type { HubOptions } from "../../src/hub/options.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"
import { type Peer, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const CHANNEL = "room/lobby"
type User = { id?: string; mood?: string }
type Options = Omit<HubOptions<typeof room, User>, "log" | "logger">

/** A hub whose log can be held up, and fail. */
function start(options: Options = {}, inside = memoryLog({ epoch: "e1" })) {
  const trouble = { slow: false, fails: undefined as string | undefined, keeps: false }
  let held: (() => void)[] = []
  const append: Log["append"] = async (...args) => {
    if (trouble.slow) await new Promise<void>((resolve) => held.push(resolve))
    const outcome = trouble.fails === undefined || trouble.keeps ? await inside.append(...args) : undefined
    if (trouble.fails !== undefined || outcome === undefined)
      throw new HoldfastError(trouble.fails ?? "log_unavailable")
    return outcome
  }
  const clock = virtualClock()
  const r = rig<typeof room, User>(
    room,
    { channels: handlers, ...options },
    { ...inside, append, find: inside.find },
    clock,
  )
  let sessions = 0
  const hello = async (peer: Peer, more: object = {}) => {
    peer.send({ type: "hello", session: `session-${++sessions}`.padEnd(22, "-"), subscriptions: [], ...more })
    await clock.settle()
    return peer
  }
  let ids = 0
  const say = async (peer: Peer, message: object) => {
    peer.send({ id: ++ids, channel: CHANNEL, ...message } as never)
    await clock.settle()
    return peer.received.findLast((answer) => "id" in answer && answer.id === ids)
  }
  const release = async () => {
    trouble.slow = false
    for (const resolve of held) resolve()
    held = []
    await clock.settle()
  }
  const lobby = r.hub.channel("room/:room", { room: "lobby" })
  return {
    ...r,
    trouble,
    release,
    lobby,
    connect: (more?: object) => hello(r.peer(), more),
    enter: (peer: Peer, mood: string, version = clock.now()) =>
      say(peer, { type: "enter", data: { mood }, version }),
    leave: (peer: Peer, version = clock.now()) => say(peer, { type: "leave", version }),
    moods: async () => [...(await lobby.members()).values()].map(({ mood }) => mood),
    top: async () => (await inside.head(CHANNEL)).top,
  }
}

const session = { session: "the-same-session-0123456789" }

describe("of all that a client asks for", () => {
  it("the highest version counts, whichever connection it comes over, and whenever", async () => {
    const { connect, enter, leave, moods } = start()
    const [before, now] = [await connect(session), await connect(session)]
    await enter(now, "wild", 20)
    expect(await enter(before, "calm", 10)).toMatchObject({ code: "superseded", version: 21 })
    expect(await enter(before, "calm", 20)).toMatchObject({ code: "superseded", version: 21 })
    expect(await leave(before, 19)).toMatchObject({ code: "superseded", version: 21 })
    expect(await moods()).toEqual(["wild"])
    expect(await leave(now, 20)).toMatchObject({ type: "result" })
    expect(await enter(before, "calm", 20)).toMatchObject({ code: "superseded", version: 21 })
    expect(await moods()).toEqual([])
    expect(await enter(before, "calm", 21)).toMatchObject({ type: "result" })
  })

  it("the same data again makes no entry, and goes with the connection that asked last", async () => {
    const { clock, connect, enter, top, moods } = start()
    const [before, now] = [await connect(session), await connect(session)]
    await enter(before, "calm", 1)
    await enter(now, "calm", 2)
    expect(await top()).toBe(1)
    before.leave()
    await clock.advance(10_000)
    expect(await moods()).toEqual(["calm"])
    now.leave()
    await clock.settle()
    expect(await moods()).toEqual([])
  })

  it("no version counts that is more than a minute ahead", async () => {
    const { clock, connect, enter, leave } = start()
    const peer = await connect()
    const now = clock.now()
    expect(await enter(peer, "calm", now + 60_001)).toMatchObject({ code: "version_ahead", version: now })
    expect(await leave(peer, now + 60_001)).toMatchObject({ code: "version_ahead", version: now })
    expect(await enter(peer, "calm", now + 60_000)).toMatchObject({ type: "result" })
  })

  it("versions go on where they were when the server's clock is set back", async () => {
    const { clock, connect, enter } = start()
    const peer = await connect()
    const version = clock.now()
    await enter(peer, "calm", version)
    clock.jump(-3_600_000)
    expect(await enter(peer, "wild")).toMatchObject({ code: "superseded", version: version + 1 })
    expect(await enter(peer, "wild", version + 1)).toMatchObject({ type: "result" })
    expect(await enter(peer, "wild", version + 60_002)).toMatchObject({ code: "version_ahead" })
  })

  it("no version counts that may be that of a removal which the log has forgotten", async () => {
    const { clock, connect, enter, leave } = start(
      {},
      memoryLog({ epoch: "e1", tombstonesPerCollectionMax: 0 }),
    )
    const [one, other, third, stays] = [await connect(), await connect(), await connect(), await connect()]
    const version = clock.now()
    for (const peer of [one, third, stays]) await enter(peer, "calm", version)
    await leave(one, version + 1)
    await leave(third, version)
    clock.jump(-3_600_000)
    expect(await enter(other, "calm")).toMatchObject({ code: "superseded", version: version + 2 })
    expect(await enter(other, "calm", version + 2)).toMatchObject({ type: "result" })
  })
})

describe("a member", () => {
  it("leaves at once with its client, or after a grace when the connection was cut", async () => {
    const { clock, connect, enter, moods } = start()
    const peers = [await connect(), await connect()] as const
    for (const peer of peers) await enter(peer, "calm")
    peers[0].leave()
    peers[1].cut()
    await clock.advance(2_999)
    expect(await moods()).toEqual(["calm"])
    await clock.advance(1)
    expect(await moods()).toEqual([])
  })

  it("may be in as many channels as a connection may subscribe to", async () => {
    const { clock, connect } = start({ limits: { subscriptionsPerConnectionMax: 2 } })
    const peer = await connect()
    const ask = async (type: string, id: number, name: string) => {
      peer.send({ type, id, channel: `room/${name}`, version: clock.now() + id, data: { mood: "calm" } })
      await clock.settle()
    }
    for (const [id, name] of ["a", "b", "b", "c"].entries()) await ask("enter", id, name)
    expect(peer.all("error")).toMatchObject([{ id: 3, code: "too_many_subscriptions", limit: 2 }])
    await ask("leave", 4, "a")
    await ask("enter", 5, "c")
    expect(peer.last("result")).toMatchObject({ id: 5 })
  })

  it("does not come in when its client is gone before its handler has answered", async () => {
    const answers: (() => void)[] = []
    const presence = () =>
      new Promise<{ name: string; mood: string }>((resolve) => {
        answers.push(() => resolve({ name: "ada", mood: "calm" }))
      })
    const { clock, connect, enter, top } = start({ channels: { "room/:room": { presence } } })
    const peer = await connect()
    await enter(peer, "calm")
    peer.leave()
    answers[0]?.()
    await clock.settle()
    expect(await top()).toBe(0)
  })

  it("is not seen to leave when it never was in", async () => {
    const { connect, leave, top } = start()
    expect(await leave(await connect())).toMatchObject({ type: "result" })
    expect(await top()).toBe(0)
  })

  it("is of its user and its session, and named by a digest of both", async () => {
    const { connect, enter, lobby } = start({ authenticate: ({ token }) => (token ? { id: token } : {}) })
    const watcher = await connect({ subscriptions: [{ channel: CHANNEL }] })
    for (const token of ["ada", "bob", undefined]) await enter(await connect({ ...session, token }), "calm")
    const members = [...(await lobby.members()).keys()]
    expect(members).toEqual(
      ['["ada",', '["bob",', "[null,"].map((user) => `digest(${user}"${session.session}"])`),
    )
    expect(watcher.all("join").map(({ user }) => user)).toEqual(["ada", "bob", undefined])
    await enter(await connect({ token: "ada" }), "wild")
    const users = await lobby.users()
    expect([...users].map(([user, { size }]) => [user, size])).toEqual([
      ["ada", 2],
      ["bob", 1],
      [members[2], 1],
    ])
  })

  it("is refused beyond what one user may have in a channel", async () => {
    const { connect, enter, leave } = start({
      authenticate: ({ token }) => ({ ...(token && { id: token }) }),
      limits: { membersPerUserMax: 2 },
    })
    const peers = await Promise.all([1, 2, 3].map(() => connect({ token: "ada" })))
    const answers = []
    for (const peer of peers) answers.push(await enter(peer, "calm"))
    expect(answers[2]).toMatchObject({ code: "quota_exceeded", limit: 2 })
    expect(await enter(await connect({ token: "bob" }), "calm")).toMatchObject({ type: "result" })
    await leave(peers[0] as Peer)
    expect(await enter(peers[2] as Peer, "calm")).toMatchObject({ type: "result" })
  })
})

describe("when the log fails, a member", () => {
  it("comes in as soon as the log takes it, though its client was told that it cannot", async () => {
    for (const fails of ["log_unavailable", "in_doubt"]) {
      const { clock, connect, enter, trouble, moods } = start()
      const peer = await connect()
      trouble.fails = fails
      trouble.keeps = fails === "in_doubt"
      expect(await enter(peer, "calm")).toMatchObject({ code: fails })
      trouble.fails = undefined
      await clock.advance(1_000)
      expect(await moods()).toEqual(["calm"])
      peer.leave()
      await clock.advance(1_000)
      expect(await moods()).toEqual([])
    }
  })

  it("stays as it was, and goes with its client, when there is no space for a change", async () => {
    const { clock, connect, enter, trouble, moods } = start()
    const [before, now] = [await connect(session), await connect(session)]
    await enter(before, "calm", 1)
    trouble.fails = "log_full"
    expect(await enter(now, "wild", 2)).toMatchObject({ code: "log_full" })
    trouble.fails = undefined
    before.leave()
    await clock.advance(10_000)
    expect(await moods()).toEqual(["calm"])
    now.leave()
    await clock.settle()
    expect(await moods()).toEqual([])
  })

  it("leaves after all when its client has, however slow the log was to take it in", async () => {
    const { clock, connect, enter, leave, trouble, release, moods } = start()
    const [one, other] = [await connect(), await connect()]
    trouble.slow = true
    await enter(one, "calm")
    one.leave()
    await release()
    expect(await moods()).toEqual([])
    await enter(other, "calm")
    trouble.fails = "log_unavailable"
    expect(await leave(other)).toMatchObject({ code: "log_unavailable" })
    trouble.fails = undefined
    await clock.advance(1_000)
    expect(await moods()).toEqual([])
  })
})

describe("a client that may be present no more", () => {
  it("is removed when the presence handler says so of its fresh token", async () => {
    const { clock, connect, enter, moods, lobby } = start({
      authenticate: ({ token = "" }) => ({ id: "ada", mood: token }),
      channels: {
        "room/:room": {
          presence: ({ user, data }) => {
            if (user.mood === "banned") throw new HoldfastError("not_allowed", "you are banned")
            return { name: "ada", mood: `${data.mood}, ${user.mood}` }
          },
        },
      },
    })
    const peer = await connect({ token: "fresh" })
    await enter(peer, "calm")
    peer.send({ type: "token", token: "fresher" })
    await clock.settle()
    expect([...(await lobby.members()).values()]).toEqual([{ name: "ada", mood: "calm, fresher" }])
    peer.send({ type: "token", token: "banned" })
    await clock.settle()
    expect(peer.all("removed")).toEqual([
      { type: "removed", channel: CHANNEL, code: "not_allowed", message: "you are banned" },
    ])
    expect(await moods()).toEqual([])
  })

  it("is removed for good when that is revoked, until it comes over another connection", async () => {
    const { clock, connect, enter, moods, lobby } = start({ authenticate: () => ({ id: "ada" }) })
    const peer = await connect(session)
    await enter(peer, "calm")
    await clock.run(lobby.revoke("ada", "you were asked to leave"))
    expect(peer.all("removed")).toEqual([
      { type: "removed", channel: CHANNEL, code: "revoked", message: "you were asked to leave" },
    ])
    expect(await moods()).toEqual([])
    expect(await enter(peer, "calm", clock.now() + 1)).toMatchObject({ code: "revoked" })
    await enter(await connect(session), "calm", clock.now() + 2)
    expect(await moods()).toEqual(["calm"])
  })
})
