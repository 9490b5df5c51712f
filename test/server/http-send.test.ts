import { describe, expect, test } from "vitest"
import { newSession, openEvents, post, startNodes } from "./support/plain-http.ts"

const publish = (id: number, text: string, idempotencyKey: string = crypto.randomUUID()) => ({
  type: "publish",
  id,
  channel: "room/lobby",
  name: "said",
  data: { text },
  idempotencyKey,
})
const double = (id: number, data: unknown) => ({
  type: "call",
  id,
  channel: "room/lobby",
  name: "double",
  data,
  timeoutMs: 60_000,
})

describe("what is sent", () => {
  test("is answered when all of it is, in any order", async () => {
    const { hubs, base } = await startNodes(1)
    const { status, messages } = await post(`${base()}/send`, {
      session: newSession(),
      messages: [
        publish(1, "one"),
        double(2, 21),
        publish(3, "two"),
        double(4, 2_000),
        publish(5, 7 as never),
      ],
    })
    expect(status).toBe(200)
    const answers = new Map(messages.map((message) => [(message as { id?: number }).id, message]))
    expect(answers.get(1)).toMatchObject({ type: "result", position: { offset: 1 } })
    expect(answers.get(2)).toEqual({ type: "result", id: 2, data: 42 })
    expect(answers.get(3)).toMatchObject({ type: "result", position: { offset: 2 } })
    expect(answers.get(4)).toMatchObject({ type: "error", code: "too_large", data: { max: 1000 } })
    expect(answers.get(5)).toMatchObject({ type: "error", code: "invalid_payload", path: "text" })
    expect(answers.size).toBe(5)
    expect(await hubs[0]!.channel("room/:room", { room: "lobby" }).history({ last: 5 })).toHaveLength(2)
  })

  test("again at the other node is appended once, and answered as the first time", async () => {
    const { hubs, base } = await startNodes(2)
    const session = newSession()
    const again = { session, messages: [publish(1, "once", "the-same-key-0123456789")] }
    const first = await post(`${base()}/send`, again)
    const second = await post(`${base()}/send`, again)
    expect(second.messages).toEqual(first.messages)
    expect(await hubs[1]!.channel("room/:room", { room: "lobby" }).history({ last: 5 })).toHaveLength(1)
  })

  test("in large numbers is handled in its order, though not all at once", async () => {
    const { hubs, base } = await startNodes(1, { limits: { pendingMessagesPerConnectionMax: 4 } })
    const texts = Array.from({ length: 100 }, (_, n) => `${n}`)
    const messages = texts.map((text, n) => publish(n, text))
    expect((await post(`${base()}/send`, { session: newSession(), messages })).messages).toHaveLength(100)
    const past = await hubs[0]!.channel("room/:room", { room: "lobby" }).history({ last: 100 })
    expect(past.map(({ data }) => (data as { text: string }).text)).toEqual(texts)
  })

  test("reaches streams: signals too, which are not answered", async () => {
    const { base } = await startNodes(1)
    const stream = await openEvents(`${base()}/events?channel=room/lobby`)
    await stream.next("subscribed")
    const signal = { type: "signal", channel: "room/lobby", name: "typing", data: {} }
    const { messages } = await post(`${base()}/send`, { session: newSession(), messages: [signal] })
    expect(messages).toEqual([])
    expect((await stream.next("signal"))?.message).toMatchObject({ name: "typing" })
  })

  test("is told which message is too large, and the others are handled", async () => {
    const { base } = await startNodes(1, { limits: { messageBytesMax: 1_000 } })
    const messages = [publish(1, "small"), publish(2, "x".repeat(1_000))]
    const answer = await post(`${base()}/send`, { session: newSession(), messages })
    expect(answer.messages).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: "result", id: 1 }),
        expect.objectContaining({ type: "error", id: 2, code: "message_too_large", limit: 1_000 }),
      ]),
    )
  })
})
