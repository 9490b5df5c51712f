import { describe, expect, test } from "vitest"
import { startTestHub } from "./support/hubs.ts"
import { WireClient } from "./support/wire-client.ts"

describe.each(["json", "msgpack"] as const)("over %s", (codec) => {
  test("a publish is acknowledged and arrives at every subscriber", async () => {
    const { url } = await startTestHub()
    const sender = await WireClient.greet(url, { codec })
    const receiver = await WireClient.greet(url, { codec })
    await receiver.subscribe("room/a")
    sender.send({
      type: "publish",
      id: 1,
      channel: "room/a",
      name: "said",
      data: { text: "hi" },
      idempotencyKey: "k",
    })
    const result = await sender.next("result")
    const event = await receiver.next("event")
    expect(event).toMatchObject({ name: "said", data: { text: "hi" }, offset: result.position?.offset })
  })

  test("bytes arrive as bytes, both ways", async () => {
    const { url } = await startTestHub()
    const client = await WireClient.greet(url, { codec })
    await client.subscribe("room/a")
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    client.send({
      type: "publish",
      id: 1,
      channel: "room/a",
      name: "blob",
      data: { bytes },
      idempotencyKey: "k",
    })
    const event = await client.next("event")
    expect(new Uint8Array((event.data as { bytes: Uint8Array }).bytes)).toEqual(bytes)
  })

  test.each([0, 1, 100, 125, 126, 1000, 65_000, 65_535, 65_536, 200_000])(
    "a text of %d characters arrives whole",
    async (length) => {
      const { url, hub } = await startTestHub()
      const client = await WireClient.greet(url, { codec })
      await client.subscribe("room/a")
      const text = "x".repeat(length)
      await hub.channel("room/:room", { room: "a" }).publish("said", { text })
      expect((await client.next("event")).data).toEqual({ text })
    },
  )

  test("what several channels publish in one turn arrives in the order of each", async () => {
    const { url, hub } = await startTestHub()
    const client = await WireClient.greet(url, { codec })
    const rooms = ["a", "b", "c"]
    const channelOf = new Map<number, string>()
    for (const room of rooms) channelOf.set((await client.subscribe(`room/${room}`)).alias, room)
    const texts = Array.from({ length: 20 }, (_, index) => String(index))
    await Promise.all(
      texts.flatMap((text) =>
        rooms.map((room) => hub.channel("room/:room", { room }).publish("said", { text })),
      ),
    )
    const heard: Record<string, string[]> = { a: [], b: [], c: [] }
    for (let count = 0; count < 60; count++) {
      const { alias, data } = await client.next("event")
      heard[channelOf.get(alias)!]!.push((data as { text: string }).text)
    }
    expect(heard).toEqual({ a: texts, b: texts, c: texts })
  })
})

test("clients of both codecs hear each other", async () => {
  const { url } = await startTestHub()
  const [a, b] = [await WireClient.greet(url), await WireClient.greet(url, { codec: "msgpack" })]
  await a.subscribe("room/a")
  await b.subscribe("room/a")
  for (const [index, sender] of [a, b].entries()) {
    const data = { text: String(index) }
    sender.send({ type: "publish", id: 1, channel: "room/a", name: "said", data, idempotencyKey: "k" })
    for (const receiver of [a, b]) expect((await receiver.next("event")).data).toEqual(data)
  }
})

test("a call is answered, a declared error is told by its code", async () => {
  const { url } = await startTestHub()
  const client = await WireClient.greet(url)
  await client.subscribe("room/a")
  const call = { type: "call", channel: "room/a", name: "double", timeoutMs: 60_000 } as const
  client.send({ ...call, id: 1, data: 21 })
  expect(await client.next("result")).toMatchObject({ id: 1, data: 42 })
  client.send({ ...call, id: 2, data: 5000 })
  expect(await client.next("error")).toMatchObject({ id: 2, code: "too_large", data: { max: 1000 } })
})

test("of a handler that throws, the client learns only that it failed", async () => {
  const { url } = await startTestHub()
  const client = await WireClient.greet(url)
  await client.subscribe("room/a")
  client.send({ type: "call", id: 1, channel: "room/a", name: "boom", data: null, timeoutMs: 60_000 })
  const error = await client.next("error")
  expect(error.code).toBe("handler_failed")
  expect(JSON.stringify(error)).not.toMatch(/secret|\.ts|stack/)
})
