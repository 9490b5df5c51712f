import { connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { createHub } from "holdfast/server"
import { afterEach, expect, test, vi } from "vitest"
import { WebSocket } from "ws"
import { app } from "./rig.ts"

const lobby = { room: "lobby" }
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

async function hubAt() {
  const hub = createHub(app, {
    channels: { "room/:room": { subscribe: true, events: { said: ({ data }) => data } } },
  })
  closing.push(() => hub.close())
  return { hub, url: (await hub.listen({ port: 0 })).url }
}

test.each([
  ["JSON", undefined],
  ["MessagePack", msgpack],
])("speaks %s over a WebSocket, and resumes after a cut", async (_, codec) => {
  const { hub, url } = await hubAt()
  const backoff = { minMs: 1, maxMs: 5 }
  const client = connect<typeof app>(url, { WebSocket, backoff, ...(codec && { codec }) })
  closing.push(client.close)
  const room = client.channel("room/:room", lobby)
  const events = room.events("said")
  await room.ready()
  await room.publish("said", { text: "before" })
  const cut = new Promise<void>((resolve) => client.on("status", () => resolve()))
  for (const connection of hub.connections()) connection.drop()
  await cut
  await hub.channel("room/:room", lobby).publish("said", { text: "meanwhile" })
  await room.publish("said", { text: "after" })
  const texts: unknown[] = []
  for await (const { data } of events) if (texts.push(data.text) === 3) break
  expect(texts).toEqual(["before", "meanwhile", "after"])
})

test("goes on trying while there is no server, and can be closed", async () => {
  const { hub, url } = await hubAt()
  await hub.close()
  const client = connect<typeof app>(url, { WebSocket, backoff: { minMs: 1, maxMs: 5 } })
  const errors: unknown[] = []
  await new Promise<void>((resolve) => {
    client.on("error", (error) => {
      if (errors.push(error) === 3) resolve()
    })
  })
  expect(errors).toMatchObject(Array(3).fill({ code: "connection_lost" }))
  client.close()
  expect(client.status).toBe("closed")
})

test("without a WebSocket says what to do", () => {
  vi.stubGlobal("WebSocket", undefined)
  closing.push(() => vi.unstubAllGlobals())
  expect(() => connect("wss://example.com", { transports: ["websocket"] })).toThrow(/WebSocket/)
})

test("refuses a URL that is none", () => {
  expect(() => connect("not a url", { WebSocket })).toThrow(TypeError)
})
