import { createServer } from "node:net"
import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { createHub } from "holdfast/server"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"

// What goes wrong in the first hour, mostly without types: each has to say what, where and what to do.

const app = contract({
  "room/:room": channel({ events: { said: z.string() } }),
  closed: channel({ events: { said: z.string() } }),
})
const untyped = createHub as (...options: unknown[]) => ReturnType<typeof createHub<typeof app>>
const room = (handlers: object) => ({ channels: { "room/:room": handlers } })

test.each([
  ["no contract", [], /createHub takes what contract\(\) returned/],
  ["options in its place", [{ channels: {} }], /createHub takes what contract\(\) returned/],
  ["an option", [app, { chanels: {} }], /no option "chanels"; known: authenticate, channels, log/],
  ["a limit", [app, { limits: { messageBytes: 1 } }], /no limit "messageBytes"; known: messageBytesMax/],
  ["a URL for a log", [app, { log: "redis://localhost" }], /log has to be a log, such as redisLog/],
  ["a word for a rule", [app, { authenticate: "me" }], /authenticate has to be a function/],
  ["a host for an origin", [app, { origins: ["example.com"] }], /"example.com", which is no origin/],
  ["a page for an origin", [app, { origins: ["https://example.com/"] }], /looks like https:/],
  ["a facet", [app, room({ subscibe: true })], /"room\/:room": "subscibe" is none of subscribe/],
  ["a rule for events", [app, room({ events: { said: true } })], /events.said has to be a function/],
  ["a word for subscribe", [app, room({ subscribe: "all" })], /subscribe has to be a function/],
])("createHub names what is wrong: %s", (_, options, message) => {
  expect(() => untyped(...options)).toThrow(message)
  expect(() => untyped(...options)).toThrow(TypeError)
})

test("createHub takes origins as browsers send them", async () => {
  const origins = ["https://example.com", "http://localhost:5173", "capacitor://localhost", "null"]
  await createHub(app, { origins }).close()
})

test.each(["abc", undefined, 70_000, -1])("no hub listens at the port %s", async (port) => {
  const hub = untyped(app)
  onTestFinished(() => hub.close())
  await expect(hub.listen({ port: port as number })).rejects.toThrow(/the port is .*from 0 to 65535/)
})

test("a channel without its parameters names the first that is missing", async () => {
  const hub = createHub(app)
  onTestFinished(() => hub.close())
  const channelOf = hub.channel as (pattern: string) => unknown
  expect(() => channelOf("room/:room")).toThrow(/"room\/:room": the parameter "room"/)
})

test.each(["", "example.com", "localhost:8080", "/holdfast"])(
  "connect says that %j is no URL of a server",
  (url) => {
    expect(() => connect(url)).toThrow(`"${url}" is no URL of a server, as wss://example.com is`)
  },
)

const firstError = (url: string, options = {}) =>
  new Promise<unknown>((resolve) => {
    const client = connect<typeof app>(url, options)
    onTestFinished(() => client.close())
    client.on("error", resolve)
  })

test("a client says which server it does not reach, and why", async () => {
  const port = await freePort()
  expect(await firstError(`http://localhost:${port}`)).toMatchObject({
    code: "connection_lost",
    message: `Cannot connect to ws://localhost:${port}/holdfast: 1006 ECONNREFUSED`,
  })
})

test("a client says where nobody answers", async () => {
  const hub = createHub(app)
  onTestFinished(() => hub.close())
  const { port } = await hub.listen({ port: 0 })
  const url = `ws://127.0.0.1:${port}/chat`
  expect(await firstError(url, { WebSocket })).toMatchObject({
    message: `Cannot connect to ${url}: 1006 404`,
  })
})

test("a client is told that the server has no rule, or that its rule says no", async () => {
  const hub = createHub(app, {
    channels: { "room/:room": { subscribe: ({ params }) => params.room === "a" } },
  })
  onTestFinished(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  const client = connect<typeof app>(url, { WebSocket })
  onTestFinished(() => client.close())
  const refusal = (asked: Promise<unknown>) => asked.catch((error: Error) => error.message)
  client.on("error", () => undefined)
  const lobby = client.channel("room/:room", { room: "lobby" })
  expect(await refusal(client.channel("closed").ready())).toBe('the server names no "subscribe" for closed')
  expect(await refusal(lobby.ready())).toBe("no permission to subscribe to room/lobby")
  expect(await refusal(lobby.publish("said", "hi"))).toBe(
    'clients may not use events "said" of room/:room: the server names no handler',
  )
})

/** At which nobody listens. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
