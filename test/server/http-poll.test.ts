import { describe, expect, test } from "vitest"
import type { Position } from "../../src/protocol/position.ts"
import { newSession, post, startNodes } from "./support/plain-http.ts"
import { virtualTimers } from "./support/virtual-timers.ts"

const of = <T extends string>(messages: readonly { type: string }[], type: T) =>
  messages.filter((message) => message.type === type) as never as {
    offset: number
    data: { text: string }
    position: Position
  }[]

const lobby = { channel: "room/lobby" }

describe("a poll", () => {
  test("without a position is answered at once, with one", async () => {
    const { base } = await startNodes(1)
    const { status, headers, messages } = await post(`${base()}/poll`, {
      session: newSession(),
      subscriptions: [lobby],
    })
    expect(status).toBe(200)
    expect(headers.get("content-type")).toBe("application/json")
    expect(messages.map(({ type }) => type)).toEqual(["welcome", "subscribed", "snapshot"])
  })

  test("with a position is held open until there is an entry", async () => {
    const { hubs, base } = await startNodes(1)
    const room = hubs[0]!.channel("room/:room", { room: "lobby" })
    const position = await room.publish("said", { text: "one" })
    const answer = post(`${base()}/poll`, { session: newSession(), subscriptions: [{ ...lobby, position }] })
    // it is open when the hub knows it
    while ([...hubs[0]!.connections()].length === 0) await new Promise((resolve) => setImmediate(resolve))
    await room.publish("said", { text: "two" })
    expect(of((await answer).messages, "event").map(({ data }) => data.text)).toEqual(["two"])
    expect([...hubs[0]!.connections()]).toEqual([])
  })

  test("is over when its wait is, with nothing told", async () => {
    const { hubs, base } = await startNodes(1)
    const position = await hubs[0]!.channel("room/:room", { room: "lobby" }).publish("said", { text: "one" })
    const subscriptions = [{ ...lobby, position }]
    const { messages } = await post(`${base()}/poll`, { session: newSession(), subscriptions, waitMs: 20 })
    expect(messages.map(({ type }) => type)).toEqual(["welcome", "subscribed"])
  })

  test("is over after a heartbeat at the latest, or its client would take the server for dead", async () => {
    const { hubs, base } = await startNodes(1, { limits: { heartbeatMs: 10_000 } })
    const { advance } = virtualTimers()
    const position = await hubs[0]!.channel("room/:room", { room: "lobby" }).publish("said", { text: "one" })
    const subscriptions = [{ ...lobby, position }]
    const answer = post(`${base()}/poll`, { session: newSession(), subscriptions })
    // it is open when the hub knows it
    while ([...hubs[0]!.connections()].length === 0) await new Promise((resolve) => setImmediate(resolve))
    advance(9_999)
    expect([...hubs[0]!.connections()]).toHaveLength(1)
    advance(1)
    expect((await answer).messages.map(({ type }) => type)).toEqual(["welcome", "subscribed"])
  })

  test("tells of a gap, and brings the snapshot along", async () => {
    const { hubs, base } = await startNodes(1)
    await hubs[0]!.channel("room/:room", { room: "lobby" }).set("topic", "main", "boats")
    const subscriptions = [{ ...lobby, position: { epoch: "another", offset: 3 } }]
    const { messages } = await post(`${base()}/poll`, { session: newSession(), subscriptions })
    expect(messages.map(({ type }) => type).slice(0, 4)).toEqual(["welcome", "subscribed", "gap", "snapshot"])
  })

  test("tells at once which channels are refused", async () => {
    const { base } = await startNodes(1)
    const subscriptions = [{ channel: "nowhere" }]
    const { status, messages } = await post(`${base()}/poll`, { session: newSession(), subscriptions })
    expect(status).toBe(200)
    expect(messages.at(-1)).toMatchObject({
      type: "unsubscribed",
      channel: "nowhere",
      code: "unknown_channel",
    })
  })

  test("again and again, each at the other node, loses and doubles nothing", async () => {
    const { hubs, base } = await startNodes(2)
    const room = hubs[0]!.channel("room/:room", { room: "lobby" })
    const session = newSession()
    const count = 2_000
    const [first] = of(
      (await post(`${base()}/poll`, { session, subscriptions: [lobby] })).messages,
      "subscribed",
    )
    let position = first!.position
    const publishing = (async () => {
      for (let n = 0; n < count; n++) {
        await hubs[n % 2]!.channel("room/:room", { room: "lobby" }).publish("said", { text: `${n}` })
        if (n % 10 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    const heard: string[] = []
    while (heard.length < count) {
      const { status, messages } = await post(`${base()}/poll`, {
        session,
        subscriptions: [{ ...lobby, position }],
      })
      expect(status).toBe(200)
      expect(of(messages, "gap")).toEqual([])
      for (const { offset, data } of of(messages, "event")) {
        heard.push(data.text)
        position = { ...position, offset }
      }
    }
    await publishing
    expect(heard).toEqual(Array.from({ length: count }, (_, n) => `${n}`))
    expect(await room.history({ last: 1 })).toMatchObject([{ offset: position.offset }])
  })

  test("of much is answered in pieces of a bounded size, which are complete together", async () => {
    const limits = { pollBytesMax: 100_000, pageBytesMax: 50_000, highWaterBytes: 16_384 }
    const { hubs, base } = await startNodes(1, { limits })
    const room = hubs[0]!.channel("room/:room", { room: "lobby" })
    const text = "x".repeat(10_000)
    for (let n = 0; n < 100; n++) await room.publish("said", { text: `${n} ${text}` })
    const session = newSession()
    let subscription: object = { ...lobby, history: "all" }
    const heard: string[] = []
    let polls = 0
    while (heard.length < 100) {
      const answer = await post(`${base()}/poll`, { session, subscriptions: [subscription] })
      expect(answer.text.length).toBeLessThan(300_000)
      const { position } = of(answer.messages, "subscribed")[0]!
      const events = of(answer.messages, "event")
      heard.push(...events.map(({ data }) => data.text.split(" ")[0]!))
      subscription = { ...lobby, position: { ...position, offset: events.at(-1)!.offset } }
      polls++
    }
    expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => `${n}`))
    expect(polls).toBeGreaterThan(3)
  })
})
