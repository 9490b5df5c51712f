import { readFileSync } from "node:fs"
import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { createHub } from "holdfast/server"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket as WsWebSocket } from "ws"
import { z } from "zod"
import { defaultKeep, retentionsOf } from "../../src/hub/channel/retention.ts"

const root = new URL("../../", import.meta.url)
const textOf = (file: string | URL) =>
  readFileSync(typeof file === "string" ? new URL(file, root) : file, "utf8")
const { exports } = JSON.parse(textOf("package.json")) as { exports: Record<string, { types: string }> }
const typeTest = textOf("test/types/undefined-options.ts")

/** Types of a public entry that hold options. */
function optionTypesOf(entry: string): string[] {
  const source = textOf(entry.replace("./dist/", "src/").replace(".d.ts", ".ts"))
  const names = [...source.matchAll(/\b([A-Z]\w*(?:Options|Handlers|Definition|Keep|Paths))\b(?= |,|;|\n)/g)]
  return names.map(([, name]) => name as string).filter((name) => name !== "AppendOptions")
}

test.each(Object.entries(exports))("the type test has all options of %s", (_, { types }) => {
  const missing = optionTypesOf(types).filter((name) => !typeTest.includes(`Exact<${name}`))
  expect(missing.filter((name) => !typeTest.includes(`  ${name}<`))).toEqual([])
})

test("the type test is compiled under exactOptionalPropertyTypes", () => {
  expect(textOf("tsconfig.base.json")).toContain('"exactOptionalPropertyTypes": true')
  expect(textOf("tsconfig.json")).toContain('"test"')
})

const everyFacet = channel({
  events: { said: z.string() },
  state: undefined,
  presence: undefined,
  signals: undefined,
  snapshot: undefined,
  calls: undefined,
  keep: { events: undefined, forMs: undefined, bytes: undefined, removalsForMs: undefined },
  rate: undefined,
})
const app = contract({ news: everyFacet, board: channel({}) })

test("an undefined limit of keep has its default", () => {
  const match = app.match("news")
  expect(match && retentionsOf(match).events).toMatchObject({
    entries: defaultKeep.events,
    forMs: defaultKeep.forMs,
    bytes: defaultKeep.bytes,
  })
})

test("a hub and a client with undefined options have the defaults", async () => {
  const hub = createHub(app, {
    authenticate: undefined,
    channels: {
      board: undefined,
      news: { subscribe: true, events: { said: ({ data }) => data }, presence: undefined, calls: undefined },
    },
    limits: { heartbeatMs: undefined },
    compression: { thresholdBytes: undefined, level: undefined },
    logger: undefined,
    log: undefined,
    origins: undefined,
  })
  onTestFinished(() => hub.close())
  const { url } = await hub.listen({ port: 0, host: undefined, path: undefined, health: undefined })
  const client = connect<typeof app>(url, {
    token: undefined,
    codec: undefined,
    WebSocket: WsWebSocket,
    transports: undefined,
    transport: undefined,
    backoff: { minMs: undefined, maxMs: undefined },
    outbox: { entriesMax: undefined, store: undefined },
    session: undefined,
    device: undefined,
  })
  onTestFinished(() => client.close())
  const news = client.channel("news", undefined, { history: undefined })
  await news.ready()
  const { offset } = await news.publish("said", "hello", { idempotencyKey: undefined, timeoutMs: undefined })
  expect(offset).toBe(1)
})
