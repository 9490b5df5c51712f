import { describe, expect, test } from "vitest"
import { newSession, openEvents, post, startNodes } from "./support/plain-http.ts"
import { stamp } from "./support/stamp.ts"

const channel = "room/lobby"
const ada = () => ({ channel, data: { name: "Ada" }, version: stamp() })
const limits = { presenceLeaseMs: 100 }

describe("presence without a WebSocket", () => {
  test("is entered and left by messages, and others see it", async () => {
    const { base } = await startNodes(1, { limits })
    const stream = await openEvents(`${base()}/events?channel=${channel}`)
    const session = newSession()
    const enter = { type: "enter", id: 1, ...ada() }
    expect((await post(`${base()}/send`, { session, messages: [enter] })).messages).toEqual([
      { type: "result", id: 1 },
    ])
    expect((await stream.next("join"))?.message).toMatchObject({ data: { name: "Ada" } })
    const leave = { type: "leave", id: 1, channel, version: stamp() }
    expect((await post(`${base()}/send`, { session, messages: [leave] })).messages).toEqual([
      { type: "result", id: 1 },
    ])
    expect(await stream.next("left")).toBeDefined()
  })

  test("lasts as long as a stream that says so, and a lease", async () => {
    const { base, hubs } = await startNodes(1, { limits })
    const watching = await openEvents(`${base()}/events?channel=${channel}`)
    const headers = { "Content-Type": "application/json" }
    const stream = await openEvents(`${base()}/events`, headers, {
      session: newSession(),
      subscriptions: [],
      presence: [ada()],
    })
    await stream.next("welcome")
    await watching.next("join")
    expect(await hubs[0]!.channel("room/:room", { room: "lobby" }).members()).toHaveProperty("size", 1)
    stream.close()
    expect(await watching.next("left")).toBeDefined()
  })

  test("comes with a poll, and goes a lease after it", async () => {
    const { base } = await startNodes(1, { limits })
    const watching = await openEvents(`${base()}/events?channel=${channel}`)
    const poll = { session: newSession(), subscriptions: [{ channel, history: "all" }], presence: [ada()] }
    const { messages } = await post(`${base()}/poll`, poll)
    expect(messages[0]).toMatchObject({ type: "welcome" })
    expect(await watching.next("join")).toBeDefined()
    expect(await watching.next("left")).toBeDefined()
  })

  test("answers a poll, and the messages with it, when it is refused", async () => {
    const { base } = await startNodes(1, { limits })
    const presence = [{ ...ada(), version: Number.MAX_SAFE_INTEGER }]
    const { messages } = await post(`${base()}/poll`, { session: newSession(), subscriptions: [], presence })
    expect(messages[1]).toMatchObject({ type: "removed", channel, code: "version_ahead" })
    const leave = { type: "leave", id: 1, channel, version: stamp() }
    const sent = await post(`${base()}/send`, { session: newSession(), presence, messages: [leave] })
    expect(sent.messages.map(({ type }: { type: string }) => type).sort()).toEqual(["removed", "result"])
  })

  test("in a channel that is named twice, or in too many, is refused as a whole", async () => {
    const { base } = await startNodes(1, { limits: { channelsPerRequestMax: 2 } })
    const poll = (names: string[]) =>
      post(`${base()}/poll`, {
        session: newSession(),
        subscriptions: [],
        presence: names.map((name) => ({ channel: name, data: {}, version: stamp() })),
      })
    expect(await poll(["room/a", "room/a"])).toMatchObject({
      status: 400,
      problem: { code: "invalid_message", path: "presence.1.channel" },
    })
    expect(await poll(["room/a", "room/b", "room/c"])).toMatchObject({
      status: 400,
      problem: { code: "too_many_subscriptions", limit: 2 },
    })
  })
})
