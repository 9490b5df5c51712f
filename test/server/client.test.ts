import { type Client, type ConnectOptions, connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { createHub, HoldfastError, memoryLog } from "holdfast/server"
import { describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { deferred } from "./support/deferred.ts"
import { app, createTestHub, recordingLogger, startTestHub } from "./support/hubs.ts"

const backoff = { minMs: 5, maxMs: 20 }

function join(url: string, options: ConnectOptions = {}): Client<typeof app> {
  const client = connect<typeof app>(url, { WebSocket, backoff, ...options })
  client.on("error", () => undefined)
  onTestFinished(() => client.close())
  return client
}

describe.each([
  ["JSON", {}],
  ["MessagePack", { codec: msgpack }],
])("the client over %s", (_name, options: ConnectOptions) => {
  test("sees every event once and in order, though its line is cut again and again", async () => {
    const { hub, url } = await startTestHub({ compression: { thresholdBytes: 20 } })
    const client = join(url, options)
    const room = client.channel("room/:room", { room: "a" })
    const heard: string[] = []
    const all = deferred()
    room.on("said", ({ text }) => {
      if (heard.push(text) === 200) all.resolve()
    })
    await room.ready()
    const texts = Array.from({ length: 200 }, (_, index) => `message ${index}`)
    for (const [index, text] of texts.entries()) {
      await room.publish("said", { text })
      if (index % 20 === 0) for (const connection of hub.connections()) connection.drop()
    }
    await all.promise
    expect(heard).toEqual(texts)
  })

  test("comes back to a server that was restarted, and has missed nothing", async () => {
    const kept = memoryLog()
    const log = { ...kept, close: async () => undefined }
    const before = createTestHub({ log })
    const { url, port } = await before.listen({ port: 0 })
    const client = join(url, options)
    const room = client.channel("room/:room", { room: "a" })
    const heard: string[] = []
    const all = deferred()
    room.on("said", ({ text }) => {
      if (heard.push(text) === 2) all.resolve()
    })
    await room.ready()
    await before.close()
    const after = createTestHub({ log })
    const others = after.channel("room/:room", { room: "a" })
    await others.publish("said", { text: "while away" })
    await after.listen({ port })
    await room.publish("said", { text: "back again" })
    await all.promise
    expect(heard).toEqual(["while away", "back again"])
  })
})

test("the client's page, headers and token reach authenticate, and what it returns is the user", async () => {
  const hub = createHub(app, {
    logger: recordingLogger(),
    authenticate: ({ token, request }) => {
      if (token !== "good") throw new HoldfastError("unauthorized", "That token is no good.")
      return { name: token, path: request.url }
    },
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ user }) => ({ text: `${user.name} came by ${user.path}` }) },
      },
    },
  })
  onTestFinished(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  const tokens = ["bad", "good"]
  const client = join(`${url}?v=1`, { token: () => tokens.shift() ?? "good" })
  const refused = deferred<unknown>()
  client.on("error", refused.resolve)
  const room = client.channel("room/:room", { room: "a" })
  const heard = deferred<unknown>()
  room.on("said", heard.resolve)
  await room.publish("said", { text: "" })
  expect(await refused.promise).toMatchObject({ code: "unauthorized" })
  expect(await heard.promise).toEqual({ text: "good came by /holdfast?v=1" })
})

test("a client that is disconnected for good does not come back", async () => {
  const { hub, url } = await startTestHub()
  const client = join(url)
  await client.channel("room/:room", { room: "a" }).ready()
  const closed = deferred()
  client.on("status", (status) => status === "closed" && closed.resolve())
  for (const connection of hub.connections()) connection.close("banned")
  await closed.promise
})
