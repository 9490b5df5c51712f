import { channel, contract } from "holdfast"
import { type Client, connect } from "holdfast/client"
import { createHub, type Hub } from "holdfast/server"
import { describe, expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"
import { recordingLogger } from "./support/hubs.ts"
import { newSession, openEvents, post } from "./support/plain-http.ts"

const app = contract({
  "inbox/:user": channel({ events: { notice: z.string() }, presence: z.object({}), keep: { events: 1_000 } }),
})

interface User {
  readonly id: string
}

const ada = { user: "ada" }
const transports = ["websocket", "sse", "poll"] as const

/** A hub whose clients are the users that their tokens name. */
async function startHub(limits: { readonly closeTimeoutMs?: number } = {}) {
  const hub = createHub<typeof app, User>(app, {
    authenticate: ({ token = "" }) => ({ id: token }),
    channels: {
      "inbox/:user": { subscribe: true, events: { notice: ({ data }) => data }, presence: () => ({}) },
    },
    logger: recordingLogger(),
    limits,
  })
  onTestFinished(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  return { hub, url }
}

/** Resolves when Ada's request, or WebSocket, is open at the hub. */
async function hasConnection(hub: Hub<typeof app, User>): Promise<void> {
  while ([...hub.connections()].length === 0) await new Promise((resolve) => setImmediate(resolve))
}

/** What a client of Ada's is told, until it is closed. */
async function openClient(url: string, transport: (typeof transports)[number]) {
  const client: Client<typeof app> = connect<typeof app>(url, {
    WebSocket,
    transports: [transport],
    token: "ada",
  })
  onTestFinished(() => client.close())
  const inbox = client.channel("inbox/:user", ada)
  const notices: string[] = []
  const errors: unknown[] = []
  const channelErrors: unknown[] = []
  client.on("error", (error) => errors.push(error))
  inbox.onError((error) => channelErrors.push(error))
  inbox.on("notice", (notice) => notices.push(notice))
  const closed = new Promise<void>((resolve) => {
    client.on("status", (status) => status === "closed" && resolve())
  })
  await inbox.ready()
  return { client, inbox, notices, errors, channelErrors, closed }
}

type Ending = (hub: Hub<typeof app, User>) => unknown

const endings: Record<string, Ending> = {
  "hub.disconnect": (hub) => hub.disconnect({ user: "ada", reason: "banned", reconnect: false }),
  "client.close": (hub) => {
    for (const client of hub.connections()) client.close("banned")
  },
  "hub.disconnectAll": (hub) => hub.disconnectAll({ reason: "banned", reconnect: false, spreadMs: 0 }),
}

describe.each(transports)("over %s", (transport) => {
  test.each(Object.keys(endings))("%s delivers what was there, and then its reason", async (name) => {
    const { hub, url } = await startHub()
    const { notices, errors, channelErrors, closed } = await openClient(url, transport)
    await hasConnection(hub)
    await hub.channel("inbox/:user", ada).publish("notice", "your account is closed")
    await endings[name]?.(hub)
    await hub.channel("inbox/:user", ada).publish("notice", "not for Ada")
    await closed
    expect(notices).toEqual(["your account is closed"])
    const told = expect.objectContaining({ code: "closed", message: expect.stringContaining("banned") })
    expect(errors).toEqual([told])
    expect(channelErrors).toEqual([told])
  })

  test("an ending delivers as much as fits into its time, and in order", async () => {
    const { hub, url } = await startHub()
    const { notices, closed } = await openClient(url, transport)
    const texts = Array.from({ length: 20 }, (_, index) => `${index} ${"x".repeat(100_000)}`)
    for (const text of texts) await hub.channel("inbox/:user", ada).publish("notice", text)
    await hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    await closed
    expect(notices.map((text) => text.slice(0, 3))).toEqual(texts.map((text) => text.slice(0, 3)))
  })

  test("revoke delivers what was there, and nothing behind", async () => {
    const { hub, url } = await startHub()
    const { inbox, notices } = await openClient(url, transport)
    await hasConnection(hub)
    const room = hub.channel("inbox/:user", ada)
    const refused = new Promise<unknown>((resolve) => inbox.onError(resolve))
    await room.publish("notice", "before")
    void room.revoke("ada", "you were asked to leave")
    await room.publish("notice", "behind")
    expect(await refused).toMatchObject({ code: "revoked", message: "you were asked to leave" })
    expect(notices).toEqual(["before"])
  })

  test("hub.close delivers what was there", async () => {
    const { hub, url } = await startHub()
    const { notices } = await openClient(url, transport)
    await hasConnection(hub)
    await hub.channel("inbox/:user", ada).publish("notice", "see you")
    await hub.close()
    await expect.poll(() => notices).toEqual(["see you"])
  })
})

describe("a user that is disconnected between two polls", () => {
  test("gets what was there and the reason with the next one", async () => {
    const { hub, url } = await startHub()
    const base = url.replace(/^ws/, "http")
    const hello = { session: newSession(), token: "ada", waitMs: 0 }
    const first = await post(`${base}/poll`, { ...hello, subscriptions: [{ channel: "inbox/ada" }] })
    const position = first.messages.find((message) => message.type === "subscribed")?.position
    await hub.channel("inbox/:user", ada).publish("notice", "the last")
    await hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    const next = await post(`${base}/poll`, {
      ...hello,
      subscriptions: [{ channel: "inbox/ada", position }],
    })
    expect(next.messages.map(({ type }) => type)).toEqual(["welcome", "subscribed", "event", "goaway"])
    expect(next.messages.at(-1)).toMatchObject({ reason: "banned", reconnect: false })
    const sent = await post(`${base}/send`, {
      ...hello,
      since: 0,
      messages: [
        { type: "publish", id: 1, channel: "inbox/ada", name: "notice", data: "x", idempotencyKey: "k" },
      ],
    })
    expect(sent.status).toBe(403)
    expect(sent.problem).toMatchObject({ code: "disconnected", detail: "banned" })
  })

  test("may come anew, as authenticate decides", async () => {
    const { hub, url } = await startHub()
    const base = url.replace(/^ws/, "http")
    await hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    const hello = { session: newSession(), token: "ada", waitMs: 0 }
    const fresh = await post(`${base}/poll`, { ...hello, subscriptions: [{ channel: "inbox/ada" }] })
    expect(fresh.status).toBe(200)
  })

  test("leaves presence at once", async () => {
    const { hub, url } = await startHub()
    const base = url.replace(/^ws/, "http")
    const hello = { session: newSession(), token: "ada", waitMs: 0 }
    const presence = [{ channel: "inbox/ada", version: Date.now(), data: {} }]
    await post(`${base}/poll`, { ...hello, subscriptions: [{ channel: "inbox/ada" }], presence })
    const room = hub.channel("inbox/:user", ada)
    await expect.poll(async () => (await room.members()).size).toBe(1)
    await hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
    await expect.poll(async () => (await room.members()).size).toBe(0)
  })
})

test("a stream of a user that is disconnected ends with what was there and the reason", async () => {
  const { hub, url } = await startHub()
  const stream = await openEvents(`${url.replace(/^ws/, "http")}/events?channel=inbox/ada&token=ada`)
  await stream.next("subscribed")
  await hub.channel("inbox/:user", ada).publish("notice", "the last")
  await hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
  expect((await stream.next("event"))?.message.data).toBe("the last")
  expect((await stream.next("goaway"))?.message).toMatchObject({ reason: "banned", reconnect: false })
})

test("a client that takes nothing is closed when the time of an ending is over", async () => {
  const { hub, url } = await startHub({ closeTimeoutMs: 50 })
  const { closed, client } = await openClient(url, "websocket")
  expect(client.status).toBe("open")
  for (let count = 0; count < 5; count++)
    await hub.channel("inbox/:user", ada).publish("notice", "x".repeat(100_000))
  await hub.disconnect({ user: "ada", reason: "banned", reconnect: false })
  await closed
})
