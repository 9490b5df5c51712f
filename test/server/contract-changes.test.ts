import { channel, contract, type Schema } from "holdfast"
import { type ConnectOptions, connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { createHub, memoryLog } from "holdfast/server"
import { describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"
import { recordingLogger } from "./support/hubs.ts"

const number = { input: z.number(), output: z.number() }
const Said = z.object({ text: z.string(), language: z.string() })
const SaidBefore = z.object({ text: z.string() }).transform(({ text }) => ({ text, language: "en" }))

const before = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }), waved: z.object({}) },
    state: { topic: z.string(), mood: z.string() },
    signals: { typing: z.object({}) },
    calls: { double: number, triple: number },
  }),
  "club/:club": channel({ events: { said: z.string() } }),
})
const after = contract({
  "room/:room": channel({
    events: {
      said: {
        input: z.union([Said, SaidBefore]) as Schema<z.input<typeof Said>, z.output<typeof Said>>,
        output: Said,
      },
      drawn: z.object({ x: z.number() }),
    },
    state: { topic: z.string().max(5), votes: z.number() },
    signals: { waving: z.object({}) },
    calls: { double: number, halve: number },
  }),
  "hall/:hall": channel({ events: { said: z.string() } }),
})

/** Two nodes of a deploy: one that runs the contract of before, and one that runs the one after. */
async function deploy() {
  const log = memoryLog()
  const logger = recordingLogger()
  const oldHub = createHub(before, {
    log,
    logger,
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data, waved: ({ data }) => data },
        state: { topic: ({ data }) => data, mood: ({ data }) => data },
        signals: { typing: ({ data }) => data },
        calls: { double: ({ input }) => input * 2, triple: ({ input }) => input * 3 },
      },
      "club/:club": { subscribe: true },
    },
  })
  const newHub = createHub(after, {
    log,
    logger,
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data, drawn: ({ data }) => data },
        state: { topic: ({ data }) => data, votes: ({ data }) => data },
        signals: { waving: ({ data }) => data },
        calls: { double: ({ input }) => input * 2, halve: ({ input }) => input / 2 },
      },
      "hall/:hall": { subscribe: true },
    },
  })
  onTestFinished(async () => {
    await oldHub.close()
    await newHub.close()
  })
  const [{ url: oldUrl }, { url: newUrl }] = [
    await oldHub.listen({ port: 0 }),
    await newHub.listen({ port: 0 }),
  ]
  const room = { room: "1" }
  return {
    oldUrl,
    newUrl,
    oldRoom: oldHub.channel("room/:room", room),
    newRoom: newHub.channel("room/:room", room),
    oldClub: oldHub.channel("club/:club", { club: "1" }),
  }
}

const ways = (["websocket", "sse", "poll"] as const).flatMap((transport) => [
  { transport, name: "json", codec: undefined },
  { transport, name: "msgpack", codec: msgpack },
])

describe.each(ways)("over $transport, in $name", ({ transport, codec }) => {
  const options: ConnectOptions = { transports: [transport], codec, WebSocket }

  /** A client that was built with the contract of before. */
  function oldClient(url: string) {
    const client = connect<typeof before>(url, options)
    const errors: string[] = []
    client.on("error", (error) => errors.push(String(error)))
    onTestFinished(() => client.close())
    return { client, errors, room: client.channel("room/:room", { room: "1" }, { history: "all" }) }
  }

  test("entries of an older contract are delivered, also of what was removed", async () => {
    const { newUrl, oldRoom } = await deploy()
    await oldRoom.publish("said", { text: "hello" })
    await oldRoom.publish("waved", {})
    await oldRoom.set("mood", "ada", "fine")
    const { room, errors } = oldClient(newUrl)
    const heard: unknown[] = []
    room.on("said", (data) => heard.push(data))
    room.on("waved", (data) => heard.push(data))
    await room.ready()
    await expect.poll(() => heard).toEqual([{ text: "hello" }, {}])
    // a snapshot is of the states that the contract has
    expect(room.state("mood").get("ada")).toBeUndefined()
    expect(errors).toEqual([])
  })

  test("an old client does not notice what was added", async () => {
    const { newUrl, newRoom } = await deploy()
    const { room, errors } = oldClient(newUrl)
    const heard: unknown[] = []
    room.on("said", ({ text }) => heard.push(text))
    await room.ready()
    await newRoom.publish("drawn", { x: 1 })
    await newRoom.set("votes", "ada", 3)
    await newRoom.signal("waving", {})
    const { offset } = await newRoom.publish("said", { text: "hello", language: "en" })
    await expect.poll(() => heard).toEqual(["hello"])
    await expect.poll(() => room.position?.offset).toBe(offset)
    expect(errors).toEqual([])
  })

  test("the server refuses by name what was removed, and all else goes on", async () => {
    const { newUrl } = await deploy()
    const { client, room } = oldClient(newUrl)
    const refusal = (code: string, name: string) =>
      expect.objectContaining({ code, message: expect.stringContaining(name) })
    const signalErrors: unknown[] = []
    room.onError((error) => signalErrors.push(error))
    client.on("error", (error) => signalErrors.push(error))
    await room.ready()
    await expect(room.publish("waved", {})).rejects.toEqual(refusal("unknown_name", `"waved"`))
    await expect(room.state("mood").set("ada", "fine")).rejects.toEqual(refusal("unknown_name", `"mood"`))
    await expect(room.call("triple", 2)).rejects.toEqual(refusal("unknown_name", `"triple"`))
    room.signal("typing", {})
    await expect.poll(() => signalErrors).toEqual([refusal("unknown_name", `"typing"`)])
    const club = client.channel("club/:club", { club: "1" })
    await expect(club.ready()).rejects.toEqual(refusal("unknown_channel", "club/1"))
    expect(room.status).toBe("live")
    expect(await room.call("double", 21)).toBe(42)
  })

  test("the server refuses what was narrowed, and accepts an old shape", async () => {
    const { newUrl } = await deploy()
    const { room } = oldClient(newUrl)
    const heard: unknown[] = []
    room.on("said", (data) => heard.push(data))
    await expect(room.state("topic").set("now", "too long")).rejects.toMatchObject({
      code: "invalid_payload",
    })
    await room.publish("said", { text: "hello" })
    await expect.poll(() => heard).toEqual([{ text: "hello", language: "en" }])
  })

  test("a client that came before its server is refused by name", async () => {
    const { oldUrl } = await deploy()
    const client = connect<typeof after>(oldUrl, options)
    onTestFinished(() => client.close())
    client.on("error", () => undefined)
    const room = client.channel("room/:room", { room: "1" })
    await expect(room.publish("drawn", { x: 1 })).rejects.toMatchObject({ code: "unknown_name" })
    await expect(client.channel("hall/:hall", { hall: "1" }).ready()).rejects.toMatchObject({
      code: "unknown_channel",
    })
    // what is new of a payload is dropped by the schema of before
    const heard: unknown[] = []
    room.on("said", (data) => heard.push(data))
    await room.ready()
    await room.publish("said", { text: "hello", language: "en" })
    await expect.poll(() => heard).toEqual([{ text: "hello" }])
  })
})
