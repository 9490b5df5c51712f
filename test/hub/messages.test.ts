import { describe, expect, it } from "vitest"
import { HoldfastError } from "../../src/protocol/error.ts"
import { rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const make = (limits = {}) => rig(room, { channels: handlers, limits })
const publish = (id: number, text: unknown, idempotencyKey = `k${id}`) => ({
  type: "publish",
  id,
  channel: "room/lobby",
  name: "said",
  data: { text },
  idempotencyKey,
})

describe("publish", () => {
  it("delivers what the handler made of it, and answers with the position", async () => {
    const r = make()
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby" })
    peer.send(publish(1, "hi"))
    await r.clock.settle()
    expect(peer.last("result")).toEqual({ type: "result", id: 1, position: { epoch: "e1", offset: 1 } })
    expect(peer.last("event")).toMatchObject({
      offset: 1,
      name: "said",
      data: { text: "hi", by: "somebody" },
    })
  })

  it("appends once what is sent twice, from whatever connection of the same session", async () => {
    const r = make()
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby" })
    peer.send(publish(1, "hi", "same"))
    peer.send(publish(2, "hi", "same"))
    await r.clock.settle()
    expect(peer.all("result").map(({ position }) => position?.offset)).toEqual([1, 1])
    expect(peer.all("event")).toHaveLength(1)
  })

  it("refuses an idempotency key that comes with other content", async () => {
    const r = make()
    const peer = r.peer()
    await peer.hello()
    peer.send(publish(1, "hi", "same"))
    peer.send(publish(2, "ho", "same"))
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ id: 2, code: "idempotency_conflict" })
  })

  it("does not mistake one client's key for another's", async () => {
    const r = make()
    const [one, two] = [r.peer(), r.peer()]
    await one.hello({ channel: "room/lobby" })
    await two.hello()
    one.send(publish(1, "hi", "1"))
    two.send(publish(1, "hi", "1"))
    await r.clock.settle()
    expect(one.all("event")).toHaveLength(2)
  })

  it("keeps a client's order though handlers differ in how long they take", async () => {
    const delays = [30, 10, 0]
    const r = rig(room, {
      channels: {
        "room/:room": {
          subscribe: true,
          events: {
            said: ({ data }) =>
              new Promise<{ text: string; by: string }>((resolve) => {
                r.clock.after(delays.shift() ?? 0, () => resolve({ text: data.text, by: "x" }))
              }),
          },
        },
      },
    })
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby" })
    for (const [index, text] of ["a", "b", "c"].entries()) peer.send(publish(index, text))
    await r.clock.advance(100)
    expect(peer.all("event").map(({ data }) => (data as { text: string }).text)).toEqual(["a", "b", "c"])
  })

  it.each([
    ["a channel of no pattern", { channel: "nowhere" }, { code: "unknown_channel" }],
    ["an event that is not declared", { name: "shouted" }, { code: "unknown_name" }],
    ["a name that every object has", { name: "constructor" }, { code: "unknown_name" }],
    ["an event without a handler", { name: "closed", data: {} }, { code: "not_allowed" }],
    ["a payload that fails the schema", { data: { text: 7 } }, { code: "invalid_payload", path: "text" }],
    [
      "a payload that is too long for it",
      { data: { text: "x".repeat(21) } },
      { code: "invalid_payload", path: "text" },
    ],
    ["a missing idempotency key", { idempotencyKey: undefined }, { code: "invalid_message" }],
  ])("refuses %s, and the connection goes on", async (_, change, expected) => {
    const r = make()
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby" })
    peer.send({ ...publish(1, "hi"), ...change })
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ id: 1, ...expected })
    peer.send(publish(2, "still here"))
    await r.clock.settle()
    expect(peer.last("result").id).toBe(2)
    expect(peer.closed()).toBeUndefined()
  })

  it("refuses a message beyond the limit, and names the limit", async () => {
    const r = make({ messageBytesMax: 1_000 })
    const peer = r.peer()
    await peer.hello()
    peer.send(publish(1, "hi"), 1_001)
    expect(peer.last("error")).toMatchObject({ id: 1, code: "message_too_large", limit: 1_000 })
    expect(peer.closed()).toBeUndefined()
  })

  it("blames the server when its handler returns what does not fit", async () => {
    const r = rig(room, {
      channels: { "room/:room": { events: { said: () => ({ text: 7 }) as never } } },
    })
    const peer = r.peer()
    await peer.hello()
    peer.send(publish(1, "hi"))
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ id: 1, code: "handler_failed" })
    expect(r.problems).toHaveLength(1)
  })

  it("blames the server when its handler throws an error whose data cannot travel", async () => {
    const r = rig(room, {
      channels: {
        "room/:room": {
          events: {
            said: () => {
              throw new HoldfastError("too_soon", "too soon", { data: { until: new Date() } })
            },
          },
        },
      },
    })
    const peer = r.peer()
    await peer.hello()
    peer.send(publish(1, "hi"))
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ id: 1, code: "handler_failed" })
    expect(r.problems).toHaveLength(1)
  })

  it("is paused at the link while too many of a connection's handlers run", async () => {
    const r = make({ pendingMessagesPerConnectionMax: 4, callTimeoutMsMax: 1_000 })
    const peer = r.peer()
    await peer.hello()
    const call = (id: number) => ({
      type: "call",
      id,
      channel: "room/lobby",
      name: "hang",
      data: null,
      timeoutMs: 1_000,
    })
    for (let id = 0; id < 3; id++) peer.send(call(id))
    expect(peer.paused()).toBe(false)
    peer.send(call(3))
    expect(peer.paused()).toBe(true)
    await r.clock.advance(1_000)
    expect(peer.paused()).toBe(false)
  })
})

describe("state", () => {
  const set = (id: number, key: string, data: unknown) => ({
    type: "set",
    id,
    channel: "room/lobby",
    name: "topic",
    key,
    data,
    idempotencyKey: `k${id}`,
  })

  it("is set and deleted by clients whom the server lets", async () => {
    const r = make()
    const peer = r.peer()
    await peer.hello({ channel: "room/lobby" })
    peer.send(set(1, "today", "boats"))
    peer.send({
      type: "delete",
      id: 2,
      channel: "room/lobby",
      name: "topic",
      key: "today",
      idempotencyKey: "d",
    })
    peer.send({
      type: "delete",
      id: 3,
      channel: "room/lobby",
      name: "topic",
      key: "fixed",
      idempotencyKey: "f",
    })
    await r.clock.settle()
    expect(peer.last("set")).toMatchObject({ offset: 1, name: "topic", key: "today", data: "boats" })
    expect(peer.last("delete")).toMatchObject({ offset: 2, name: "topic", key: "today" })
    expect(peer.last("error")).toMatchObject({ id: 3, code: "not_allowed" })
    expect(await r.hub.channel("room/:room", { room: "lobby" }).state("topic")).toEqual(new Map())
  })

  it.each([
    ["empty", ""],
    ["too long", "k".repeat(256)],
    ["not well-formed", "\ud800"],
  ])("is refused to the server's own code too under a key that is %s", async (_, key) => {
    const topics = make().hub.channel("room/:room", { room: "lobby" })
    await expect(topics.set("topic", key, "x")).rejects.toMatchObject({
      code: "invalid_payload",
      path: "key",
    })
    await expect(topics.delete("topic", key)).rejects.toMatchObject({ code: "invalid_payload", path: "key" })
  })

  it("under a rate cap is merged into the latest value, in order, and every set is answered", async () => {
    const r = make()
    const prices = r.hub.channel("capped/:name", { name: "a" })
    const peer = r.peer()
    await peer.hello({ channel: "capped/a" })
    const answers = Promise.all([1, 2, 3, 4].map((price) => prices.set("price", "X", price)))
    const other = prices.set("price", "Y", 9)
    await r.clock.advance(100)
    expect((await answers).map(({ offset }) => offset)).toEqual([1, 3, 3, 3])
    expect((await other).offset).toBe(2)
    expect(peer.all("set").map(({ key, data }) => [key, data])).toEqual([
      ["X", 1],
      ["Y", 9],
      ["X", 4],
    ])
  })

  const capped = (id: number, data: number, idempotencyKey: string) => ({
    type: "set",
    id,
    channel: "capped/a",
    name: "price",
    key: "X",
    data,
    idempotencyKey,
  })

  it.each([
    ["a repeat of what was appended before", 1, { type: "result", position: { epoch: "e1", offset: 1 } }],
    ["one that is refused", 7, { type: "error", code: "idempotency_conflict" }],
  ])("under a rate cap is not lost in favour of %s", async (_, repeated, answer) => {
    const r = rig(room, {
      channels: { "capped/:name": { subscribe: true, state: { price: ({ data }) => data } } },
    })
    const [one, two] = [r.peer(), r.peer()]
    await one.hello({ channel: "capped/a" })
    await two.hello()
    one.send(capped(1, 1, "k1"))
    await r.clock.settle()
    two.send(capped(1, 2, "k2"))
    two.send(capped(2, 3, "k3"))
    await r.clock.settle()
    one.send(capped(2, repeated, "k1"))
    await r.clock.advance(100)
    expect(two.all("result").map(({ position }) => position?.offset)).toEqual([2, 3])
    expect(one.received.find((message) => "id" in message && message.id === 2)).toMatchObject(answer)
    expect(one.all("set").map(({ data }) => data)).toEqual([1, 3])
  })

  it("under a rate cap is not undone by an earlier one that is sent again", async () => {
    const r = rig(room, {
      channels: { "capped/:name": { subscribe: true, state: { price: ({ data }) => data } } },
    })
    const hello = { type: "hello", session: "session-0123456789abcdef", subscriptions: [] }
    const [sender, watcher] = [r.peer(), r.peer()]
    sender.send(hello)
    await watcher.hello({ channel: "capped/a" })
    sender.send(capped(1, 1, "k1"))
    await r.clock.settle()
    sender.send(capped(2, 2, "k2"))
    await r.clock.settle()
    watcher.send(capped(1, 3, "k3"))
    await r.clock.settle()
    sender.cut()
    await r.clock.advance(200)
    const again = r.peer()
    again.send(hello)
    await r.clock.settle()
    again.send(capped(2, 2, "k2"))
    await r.clock.advance(200)
    expect(again.last("result").position?.offset).toBe(2)
    expect(watcher.all("set").map(({ data }) => data)).toEqual([1, 3])
  })
})

describe("signals", () => {
  it("reach the subscribers that can take them, carry their sender, and are not replayed", async () => {
    const r = make()
    const [quick, slow, sender] = [r.peer(), r.peer(), r.peer()]
    await quick.hello({ channel: "room/lobby" })
    await slow.hello({ channel: "room/lobby" })
    await sender.hello()
    slow.block()
    await r.hub.channel("room/:room", { room: "lobby" }).publish("closed", {})
    await r.clock.settle()
    sender.send({ type: "signal", channel: "room/lobby", name: "typing", data: { on: true } })
    await r.clock.settle()
    slow.drain()
    await r.clock.settle()
    expect(quick.all("signal")).toMatchObject([
      { name: "typing", from: sender.last("welcome").member, data: { on: true } },
    ])
    expect(slow.all("signal")).toEqual([])
  })

  it("that are refused tell their sender", async () => {
    const r = make()
    const peer = r.peer()
    await peer.hello()
    peer.send({ type: "signal", channel: "room/lobby", name: "typing", data: { on: "yes" } })
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ channel: "room/lobby", code: "invalid_payload", path: "on" })
  })
})

describe("calls", () => {
  const call = (name: string, data: unknown, timeoutMs = 5_000) => ({
    type: "call",
    id: 1,
    channel: "room/lobby",
    name,
    data,
    timeoutMs,
  })
  const answer = async (message: object) => {
    const r = make()
    const peer = r.peer()
    await peer.hello()
    peer.send(message as Record<string, unknown>)
    await r.clock.advance(10_000)
    return { r, peer }
  }

  it("are answered with the output", async () => {
    const { peer } = await answer(call("double", { value: 4 }))
    expect(peer.last("result")).toEqual({ type: "result", id: 1, data: 8 })
  })

  it("are answered with an error that the contract declares, and its data", async () => {
    const { peer } = await answer(call("double", { value: 3 }))
    expect(peer.last("error")).toMatchObject({ id: 1, code: "odd", data: { value: 3 } })
  })

  it("of a handler that throws are answered without what it threw, which is logged", async () => {
    const { r, peer } = await answer(call("break", null))
    expect(peer.last("error")).toMatchObject({ id: 1, code: "handler_failed" })
    expect(JSON.stringify(peer.received)).not.toContain("hunter2")
    expect(r.problems.map(({ fields }) => String(fields.error))).toEqual([expect.stringContaining("hunter2")])
  })

  it("whose answer is larger than a message may be blame the server", async () => {
    const r = rig(room, {
      channels: { "room/:room": { calls: { double: () => "x".repeat(2_000) as never } } },
      limits: { messageBytesMax: 1_000 },
    })
    const peer = r.peer()
    await peer.hello()
    peer.send(call("double", { value: 4 }))
    await r.clock.settle()
    expect(peer.last("error")).toMatchObject({ id: 1, code: "handler_failed" })
    expect(r.problems).toHaveLength(1)
  })

  it("whose handler never answers end at their deadline", async () => {
    const { peer } = await answer(call("hang", null, 1_000))
    expect(peer.last("error")).toMatchObject({ id: 1, code: "timeout" })
  })

  it("with short deadlines do not let their client have more handlers running", async () => {
    let running = 0
    const hang = () => {
      running++
      return new Promise<null>(() => {})
    }
    const r = rig(room, {
      channels: { "room/:room": { calls: { hang } } },
      limits: { pendingMessagesPerConnectionMax: 4, callTimeoutMsMax: 1_000 },
    })
    const peer = r.peer()
    await peer.hello()
    for (let id = 1; !peer.paused(); id++) {
      peer.send({ ...call("hang", null, 1), id })
      await r.clock.advance(10)
    }
    expect(running).toBe(4)
    expect(peer.all("error").map(({ code }) => code)).toEqual(Array(4).fill("timeout"))
    await r.clock.advance(1_000)
    expect(peer.paused()).toBe(false)
  })

  it.each([
    ["unknown", "halve", "unknown_name"],
    ["inherited", "toString", "unknown_name"],
  ])("with an %s name are refused", async (_, name, code) => {
    const { peer } = await answer(call(name, null))
    expect(peer.last("error")).toMatchObject({ id: 1, code })
  })
})

describe("subscribe", () => {
  it.each([
    ["nobody was allowed to", { channel: "secret/a" }, "not_allowed"],
    ["does not exist", { channel: "nowhere/a" }, "unknown_channel"],
  ])("refuses a channel that %s", async (_, request, code) => {
    const r = make()
    const peer = r.peer()
    await peer.hello(request)
    expect(peer.last("unsubscribed")).toMatchObject({ ...request, code })
  })

  it("refuses more subscriptions than a connection may have", async () => {
    const r = make({ subscriptionsPerConnectionMax: 2 })
    const peer = r.peer()
    await peer.hello({ channel: "plain/a" }, { channel: "plain/b" }, { channel: "plain/c" })
    expect(peer.all("subscribed")).toHaveLength(2)
    expect(peer.last("unsubscribed")).toMatchObject({
      channel: "plain/c",
      code: "too_many_subscriptions",
      message: expect.stringContaining("2"),
    })
  })

  it("passes on what the rule throws on purpose, and hides what it throws by accident", async () => {
    const r = rig(room, {
      channels: {
        "plain/:name": {
          subscribe: ({ params }) => {
            if (params.name === "full") throw new HoldfastError("room_full", "the room is full")
            throw new Error("secret")
          },
        },
      },
    })
    const peer = r.peer()
    await peer.hello({ channel: "plain/full" }, { channel: "plain/broken" })
    expect(peer.all("unsubscribed")).toEqual([
      { type: "unsubscribed", channel: "plain/full", code: "room_full", message: "the room is full" },
      {
        type: "unsubscribed",
        channel: "plain/broken",
        code: "handler_failed",
        message: expect.not.stringContaining("secret"),
      },
    ])
  })
})
