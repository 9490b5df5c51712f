import { channel, contract } from "holdfast"
import { createHubCore, memoryLog, seeded, virtualClock } from "holdfast/testing"
import { describe, expect, test } from "vitest"
import { z } from "zod"
import { defaultLimits, type Limits } from "../../../src/hub/limits.ts"
import { createHttpHandler } from "../../../src/server/http/http-handler.ts"
import { createOriginCheck } from "../../../src/server/http/origin.ts"
import { defaultServerLimits } from "../../../src/server/limits.ts"
import { Links } from "../../../src/server/links.ts"
import { fetchExchange } from "../../support/web-exchange.ts"
import { recordingLogger } from "../support/hubs.ts"

const app = contract({ "room/:room": channel({ events: { said: z.string() } }) })
const HIGH_WATER_BYTES = 16_384

/** A hub without Node: requests and responses of the Fetch standard, virtual time. */
function webHub(limits: Partial<Limits> = {}) {
  const clock = virtualClock()
  const entropy = seeded(1)
  const logger = recordingLogger()
  const asked: Request[] = []
  const hub = createHubCore<typeof app, undefined, Request>(
    app,
    {
      logger,
      limits,
      authenticate: ({ request }) => void asked.push(request),
      channels: { "room/:room": { subscribe: true, events: { said: ({ data }) => data } } },
    },
    { clock, entropy, log: memoryLog() },
  )
  const links = new Links(10, logger)
  const handle = createHttpHandler<Request>({
    clock,
    entropy,
    logger,
    links,
    limits: { ...defaultLimits, ...defaultServerLimits, ...limits },
    connect: hub.connect,
    originRefusal: createOriginCheck("same-host", logger),
    credentials: true,
  })
  const askWith = (request: Request) =>
    fetchExchange(request, HIGH_WATER_BYTES, (exchange) => handle(exchange, "/holdfast"))
  const ask = (path: string, init?: RequestInit) => askWith(new Request(`https://hub.test${path}`, init))
  /** Lets turns of the event loop pass, but no time, until `condition` holds. */
  const turnsUntil = async (condition: () => boolean) => {
    while (!condition()) await clock.settle()
  }
  const turnsFor = async <T>(work: Promise<T> | undefined): Promise<T> => {
    let settled = false
    const done = () => {
      settled = true
    }
    work?.then(done, done)
    await turnsUntil(() => settled)
    return work as Promise<T>
  }
  const room = hub.channel("room/:room", { room: "a" })
  return { clock, hub, links, logger, asked, room, ask, askWith, turnsFor, turnsUntil }
}

const post = (body: object, more: RequestInit = {}): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
  ...more,
})
const session = "a-session-of-this-test"
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes)

describe("a stream of events as a Response", () => {
  async function openStream(web: ReturnType<typeof webHub>) {
    const response = await web.turnsFor(web.ask("/holdfast/events?channel=room/a"))
    const reader = response.body!.getReader()
    const { value } = await web.turnsFor(reader.read())
    return { response, reader, first: textOf(value) }
  }

  test("begins with its headers, and carries what is published", async () => {
    const web = webHub()
    const { response, reader, first } = await openStream(web)
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/event-stream"])
    expect(first).toContain('"type":"subscribed"')
    await web.turnsFor(web.room.publish("said", "hello"))
    expect(textOf((await web.turnsFor(reader.read())).value)).toContain('"data":"hello"')
  })

  test("gives `authenticate` the runtime's own request", async () => {
    const web = webHub()
    await openStream(web)
    expect(web.asked.map(({ url }) => url)).toEqual(["https://hub.test/holdfast/events?channel=room/a"])
  })

  test("shares its bytes with other streams, without a copy", async () => {
    const web = webHub()
    const [one, other] = [await openStream(web), await openStream(web)]
    await web.turnsFor(web.room.publish("said", "hello"))
    const chunks = [await web.turnsFor(one.reader.read()), await web.turnsFor(other.reader.read())]
    expect(chunks[0]?.value).toBe(chunks[1]?.value)
    expect(chunks[0]?.value?.byteLength).toBeGreaterThan(0)
  })

  test("that is not read takes no more than its mark and a page, and later misses nothing", async () => {
    const web = webHub({ pageBytesMax: 30_000, burstBytesMax: 30_000 })
    const { reader } = await openStream(web)
    const count = 200
    const publish = async () => {
      for (let n = 0; n < count; n++) await web.room.publish("said", `${n} ${"x".repeat(10_000)}`)
    }
    await web.turnsFor(publish())
    const numbersIn = (text: string) => [...text.matchAll(/"data":"(\d+) /g)].map(([, n]) => Number(n))
    const read = async () => numbersIn(textOf((await web.turnsFor(reader.read())).value))
    // Reads without a turn of the hub between them take only what the stream has queued.
    const heard: number[] = []
    for (let reads = 0; reads < 2; reads++) heard.push(...numbersIn(textOf((await reader.read()).value)))
    expect(heard.length).toBeLessThan(10)
    while (heard.length < count) heard.push(...(await read()))
    expect(heard).toEqual(Array.from({ length: count }, (_, n) => n))
  })

  test("that its reader cancels ends the connection", async () => {
    const web = webHub()
    const { reader } = await openStream(web)
    expect([[...web.hub.connections()].length, web.links.size]).toEqual([1, 1])
    await reader.cancel()
    expect([[...web.hub.connections()].length, web.links.size]).toEqual([0, 0])
  })

  test("that nobody has read for two heartbeats is ended", async () => {
    const web = webHub()
    const { reader } = await openStream(web)
    for (let n = 0; n < 10; n++) await web.turnsFor(web.room.publish("said", "x".repeat(10_000)))
    await web.clock.advance(4 * defaultLimits.heartbeatMs)
    expect([...web.hub.connections()]).toEqual([])
    await reader.cancel().catch(() => undefined)
    expect(web.links.size).toBe(0)
  })
})

describe("a poll as a Response", () => {
  const poll = (position: object) => ({ session, subscriptions: [{ channel: "room/a", position }] })

  test("is held open until there is an entry", async () => {
    const web = webHub()
    const position = await web.turnsFor(web.room.publish("said", "one"))
    const answer = web.ask("/holdfast/poll", post(poll(position)))
    await web.turnsUntil(() => [...web.hub.connections()].length === 1)
    await web.turnsFor(web.room.publish("said", "two"))
    const response = await web.turnsFor(answer)
    const { messages } = (await response.json()) as { messages: { type: string; data?: string }[] }
    expect(messages.map(({ type }) => type)).toEqual(["welcome", "subscribed", "event"])
    expect(messages[2]?.data).toBe("two")
    expect(web.links.size).toBe(0)
  })

  test("is answered when its wait is over, in virtual time", async () => {
    const web = webHub()
    const position = await web.turnsFor(web.room.publish("said", "one"))
    const answer = web.ask("/holdfast/poll", post({ ...poll(position), waitMs: 20_000 }))
    await web.turnsUntil(() => [...web.hub.connections()].length === 1)
    await web.clock.advance(20_000)
    expect((await web.turnsFor(answer)).status).toBe(200)
  })

  test("that is aborted ends the connection", async () => {
    const web = webHub()
    const position = await web.turnsFor(web.room.publish("said", "one"))
    const controller = new AbortController()
    void web.ask("/holdfast/poll", post(poll(position), { signal: controller.signal }))
    await web.turnsUntil(() => [...web.hub.connections()].length === 1)
    controller.abort()
    await web.turnsUntil(() => [...web.hub.connections()].length === 0)
    expect(web.links.size).toBe(0)
  })
})

describe("other requests as a Response", () => {
  test("messages are sent and answered", async () => {
    const web = webHub()
    const idempotencyKey = "a-key-of-this-test-0123"
    const publish = { type: "publish", id: 1, channel: "room/a", name: "said", data: "hi", idempotencyKey }
    const response = await web.turnsFor(web.ask("/holdfast/send", post({ session, messages: [publish] })))
    expect(await response.json()).toMatchObject({ messages: [{ type: "result", id: 1 }] })
    expect(await web.turnsFor(web.room.history({ last: 1 }))).toMatchObject([{ data: "hi" }])
  })

  test("a refusal is a problem, and a preflight has no body", async () => {
    const web = webHub()
    const refused = await web.turnsFor(web.ask("/holdfast/poll"))
    expect([refused.status, refused.headers.get("allow")]).toEqual([405, "POST, OPTIONS"])
    expect(await refused.json()).toMatchObject({ title: "Method Not Allowed", code: "method_not_allowed" })
    const headers = { Origin: "https://hub.test", Host: "hub.test" }
    const preflight = await web.turnsFor(web.ask("/holdfast/poll", { method: "OPTIONS", headers }))
    expect([preflight.status, preflight.body]).toEqual([204, null])
    expect(preflight.headers.get("access-control-allow-origin")).toBe("https://hub.test")
  })

  test("a body that was read before is the server's failure, and is logged", async () => {
    const web = webHub()
    const request = new Request("https://hub.test/holdfast/send", post({}))
    await request.text()
    const response = await web.turnsFor(web.askWith(request))
    expect(response.status).toBe(500)
    expect(`${web.logger.lines[0]?.fields.error}`).toContain("before body parsers")
  })

  test("a request for another address is left alone", () => {
    const web = webHub()
    expect(web.ask("/other/poll", post({}))).toBeUndefined()
  })
})
