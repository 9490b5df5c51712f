import { describe, expect, it } from "vitest"
import { z } from "zod"
import { channel, contract } from "../../src/contract/index.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const hello = (token?: string) => ({
  type: "hello",
  session: "session-0123456789abcdef",
  subscriptions: [],
  ...(token && { token }),
})

describe("a connection", () => {
  it("has to begin with hello", async () => {
    const r = rig(room, { channels: handlers })
    const peer = r.peer()
    peer.send({ type: "subscribe", channel: "plain/a" })
    expect(peer.last("error")).toMatchObject({ code: "hello_expected" })
    expect(peer.closed()).toMatchObject({ code: 4400 })
  })

  it("has to say hello in time", async () => {
    const r = rig(room, { channels: handlers, limits: { helloTimeoutMs: 5_000 } })
    const peer = r.peer()
    await r.clock.advance(4_000)
    expect(peer.closed()).toBeUndefined()
    await r.clock.advance(2_000)
    expect(peer.closed()).toMatchObject({ code: 4408 })
  })

  it("may say hello only once", async () => {
    const r = rig(room, { channels: handlers })
    const peer = r.peer()
    await peer.hello()
    peer.send(hello())
    expect(peer.closed()).toMatchObject({ code: 4400 })
  })

  it("is pinged, lives while anything is heard of it, and is closed when nothing was for two heartbeats", async () => {
    const r = rig(room, { channels: handlers, limits: { heartbeatMs: 1_000 } })
    const [alive, dead] = [r.peer(), r.peer()]
    await alive.hello()
    await dead.hello()
    for (let n = 0; n < 10; n++) {
      alive.send({ type: "pong" })
      await r.clock.advance(500)
    }
    expect(alive.closed()).toBeUndefined()
    expect(alive.all("ping").length).toBeGreaterThanOrEqual(4)
    expect(dead.closed()).toMatchObject({ code: 4408 })
  })

  it("is not taken for dead while the hub itself does not read from it", async () => {
    const r = rig(room, {
      channels: handlers,
      limits: { heartbeatMs: 1_000, pendingMessagesPerConnectionMax: 1, callTimeoutMsMax: 5_000 },
    })
    const peer = r.peer()
    await peer.hello()
    peer.send({ type: "call", id: 1, channel: "room/lobby", name: "hang", data: null, timeoutMs: 5_000 })
    expect(peer.paused()).toBe(true)
    await r.clock.advance(4_900)
    expect(peer.closed()).toBeUndefined()
    await r.clock.advance(100)
    expect(peer.paused()).toBe(false)
    await r.clock.advance(5_000)
    expect(peer.closed()).toMatchObject({ code: 4408 })
  })

  it("goes on after something that is no message", async () => {
    const r = rig(room, { channels: handlers })
    const peer = r.peer()
    await peer.hello()
    for (const nonsense of [null, 7, "hello", [], {}, { type: "nonsense" }, { type: "__proto__" }]) {
      peer.send(nonsense as never)
      expect(peer.last("error").code).toBe("invalid_message")
    }
    expect(peer.closed()).toBeUndefined()
  })

  it("that ends takes its subscriptions along", async () => {
    const r = rig(room, { channels: handlers })
    const peer = r.peer()
    await peer.hello({ channel: "plain/a" })
    peer.cut()
    const before = peer.received.length
    await r.hub.channel("plain/:name", { name: "a" }).publish("tick", 1)
    await r.clock.settle()
    expect(peer.received).toHaveLength(before)
    expect([...r.hub.connections()]).toEqual([])
  })
})

describe("authentication", () => {
  const epochMs = Date.UTC(2030, 0, 1)
  const make = () =>
    rig(room, {
      authenticate: async ({ token }) => {
        if (token === undefined) throw new Error("no token")
        const [id, life] = token.split(" ")
        return { id, expiresAt: life === "short" ? epochMs + 1_000 : undefined }
      },
      channels: { "plain/:name": { subscribe: ({ user, params }) => user.id === params.name } },
      limits: { heartbeatMs: 500 },
    })

  it("gives every handler the user", async () => {
    const r = make()
    const peer = r.peer()
    peer.send({ ...hello("ada"), subscriptions: [{ channel: "plain/ada" }, { channel: "plain/bob" }] })
    await r.clock.settle()
    expect(peer.last("subscribed").channel).toBe("plain/ada")
    expect(peer.last("unsubscribed")).toMatchObject({ channel: "plain/bob", code: "not_allowed" })
    expect([...r.hub.connections()].map(({ user }) => user.id)).toEqual(["ada"])
  })

  it("refuses without saying why, and logs why", async () => {
    const r = make()
    const peer = r.peer()
    peer.send(hello())
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ code: "unauthorized" })
    expect(peer.closed()).toMatchObject({ code: 4401 })
    expect(JSON.stringify(peer.received)).not.toContain("no token")
    expect(r.problems).toHaveLength(1)
  })

  it("serves what was sent right behind hello only after it let the client in", async () => {
    const r = make()
    const peer = r.peer()
    peer.send(hello("ada"))
    peer.send({ type: "subscribe", channel: "plain/ada" })
    await r.clock.settle()
    expect(peer.received.map(({ type }) => type)).toEqual(["welcome", "subscribed"])
  })

  it("ends the connection when the token expires, unless a fresh one came", async () => {
    const r = make()
    const [renewing, lazy] = [r.peer(), r.peer()]
    renewing.send(hello("ada short"))
    lazy.send(hello("ada short"))
    await r.clock.settle()
    expect(lazy.last("welcome").expiresAt).toBe(r.clock.now() + 1_000)
    renewing.send({ type: "token", token: "ada long" })
    for (let n = 0; n < 8; n++) {
      await r.clock.advance(250)
      renewing.send({ type: "pong" })
      lazy.send({ type: "pong" })
    }
    expect(renewing.closed()).toBeUndefined()
    expect(lazy.closed()).toMatchObject({ code: 4401, reason: "token_expired" })
  })

  it("is asked with the connection's request for a fresh token too", async () => {
    const requests: unknown[] = []
    const r = rig(room, { authenticate: ({ request }) => void requests.push(request) })
    const peer = r.peer()
    peer.send(hello("ada"))
    await r.clock.settle()
    peer.send({ type: "token", token: "ada" })
    await r.clock.settle()
    expect(requests).toEqual([{}, {}])
  })

  it("takes no fresh token of another user", async () => {
    const r = make()
    const peer = r.peer()
    peer.send(hello("ada"))
    await r.clock.settle()
    peer.send({ type: "token", token: "bob" })
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ code: "unauthorized" })
    expect(peer.closed()).toMatchObject({ code: 4401 })
  })

  it("ends, with a fresh token, the subscriptions that the user is not allowed any more", async () => {
    const allowed = new Set(["a", "b"])
    const r = rig(room, {
      authenticate: ({ token }) => ({ name: token }),
      channels: { "plain/:name": { subscribe: ({ params }) => allowed.has(params.name) } },
    })
    const peer = r.peer()
    peer.send({ ...hello("ada"), subscriptions: [{ channel: "plain/a" }, { channel: "plain/b" }] })
    await r.clock.settle()
    allowed.delete("a")
    peer.send({ type: "token", token: "ada" })
    await r.clock.settle()
    expect(peer.all("unsubscribed")).toMatchObject([{ channel: "plain/a", code: "not_allowed" }])
    for (const name of ["a", "b"]) await r.hub.channel("plain/:name", { name }).publish("tick", 1)
    await r.clock.settle()
    expect(peer.all("event")).toHaveLength(1)
  })

  it("refuses a user whose token expires at no time that is known", async () => {
    const r = rig(room, { authenticate: () => ({ expiresAt: Number.NaN }) })
    const peer = r.peer()
    peer.send(hello())
    await r.clock.settle()
    expect(peer.closed()).toMatchObject({ code: 4401 })
    expect(r.problems).toHaveLength(1)
  })
})

describe("the hub", () => {
  it("sends everybody away with a reason and a time to come back, and serves them until they have", async () => {
    const r = rig(room, { channels: handlers, limits: { handoverMs: 2_000 } })
    const [staying, leaving] = [r.peer(), r.peer()]
    await staying.hello({ channel: "plain/a" })
    await leaving.hello()
    r.hub.disconnectAll({ reason: "a deploy", reconnect: true, spreadMs: 1_000 })
    const goaway = { type: "goaway", reason: "a deploy", reconnect: true, afterMs: 500 }
    expect(staying.last("goaway")).toEqual(goaway)
    leaving.leave()
    await r.clock.advance(2_400)
    await r.hub.channel("plain/:name", { name: "a" }).publish("tick", 1)
    await r.clock.settle()
    expect(staying.last("event")).toMatchObject({ data: 1 })
    expect(staying.closed()).toBeUndefined()
    await r.clock.advance(200)
    expect(staying.closed()).toEqual({ code: 1001, reason: "a deploy" })
    expect(leaving.closed()).toBeUndefined()
  })

  it("sends everybody away for good at once", async () => {
    const r = rig(room, { channels: handlers })
    const peer = r.peer()
    await peer.hello()
    r.hub.disconnectAll({ reason: "the end", reconnect: false, spreadMs: 1_000 })
    expect(peer.last("goaway")).toEqual({ type: "goaway", reason: "the end", reconnect: false, afterMs: 0 })
    expect(peer.closed()).toEqual({ code: 4403, reason: "the end" })
  })

  it("closes who has not said hello yet, who would come back anyway", async () => {
    const r = rig(room, { channels: handlers })
    const peer = r.peer()
    r.hub.disconnectAll({ reason: "a deploy", reconnect: true, spreadMs: 1_000 })
    expect(peer.closed()).toEqual({ code: 1001, reason: "a deploy" })
  })

  it("can end one client's connection for good", async () => {
    const r = rig(room, { channels: handlers })
    const [one, two] = [r.peer(), r.peer()]
    await one.hello()
    await two.hello()
    for (const client of r.hub.connections())
      if (client.member === one.last("welcome").member) client.close("spam")
    expect(one.last("goaway")).toMatchObject({ reason: "spam", reconnect: false })
    expect(one.closed()).toMatchObject({ code: 4403 })
    expect(two.closed()).toBeUndefined()
  })

  it("leaves nobody in presence when it closes", async () => {
    const log = { ...memoryLog(), close: async () => {} }
    const r = rig(room, { channels: handlers }, log)
    const peer = r.peer()
    await peer.hello()
    peer.send({ type: "enter", id: 1, channel: "room/lobby", data: { mood: "calm" }, version: 1 })
    await r.clock.settle()
    await r.hub.close()
    expect(
      (
        await log.read("room/lobby", {
          after: 0,
          through: 9,
          select: "fold",
          entriesMax: 9,
          bytesMax: 9_999,
        })
      ).entries,
    ).toEqual([])
  })

  it("has nothing left to do once it is closed, though somebody still publishes", async () => {
    const aged = contract({ aged: channel({ events: { tick: z.number() }, keep: { forMs: 60_000 } }) })
    const r = rig(aged)
    await r.hub.close()
    await expect(r.hub.channel("aged", {}).publish("tick", 1)).rejects.toMatchObject({ code: "closed" })
    expect(r.clock.nextDueMs()).toBeUndefined()
  })

  it("refuses limits that would limit nothing, and takes undefined for the default", () => {
    expect(() => rig(room, { limits: { messageBytesMax: Number.NaN } })).toThrow(/messageBytesMax/)
    expect(() => rig(room, { limits: { heartbeatMs: -1 } })).toThrow(/heartbeatMs/)
    const limits = { messageBytesMax: undefined } as object
    expect(rig(room, { limits }).hub.limits.messageBytesMax).toBe(256 * 1024)
  })

  it("refuses options for a channel that the contract does not declare", () => {
    expect(() => rig(room, { channels: { "rooms/:room": { subscribe: true } } as never })).toThrow(
      /rooms\/:room/,
    )
  })
})

describe("the hub's options", () => {
  it.each([
    ["an event", { events: { shouted: () => ({}) } }, /declares no events "shouted"/],
    ["a state to delete", { delete: { weather: () => true } }, /declares no state "weather"/],
    ["a name that every object has", { calls: { toString: () => 1 } }, /declares no calls "toString"/],
    ["a loader", { snapshot: () => 1 }, /declares no snapshot/],
  ])("are refused with a handler for %s that the contract does not declare", (_, more, message) => {
    const channels = { "room/:room": { subscribe: true, ...more } } as never
    expect(() => rig(room, { channels })).toThrow(message)
  })
})
