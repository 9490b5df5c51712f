import { expect, test } from "vitest"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

/** What the blocks of these pages take for granted. Global, so that a block may declare the same names anew. */
const SURROUNDINGS = `
import type { IncomingMessage, RequestListener } from "node:http"
import { channel, contract } from "holdfast"
import type * as server from "holdfast/server"
import { z } from "zod"
const said = z.object({ text: z.string(), by: z.string() })
const theContract = contract({
  "room/:room": channel({
    events: { said },
    state: { topic: z.string() },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({ on: z.boolean() }) },
  }),
  "inbox/:user": channel({ events: { notice: z.object({ text: z.string() }) } }),
})
type App = typeof theContract
interface User { id: string; name: string }
const channelOf = (hub: server.Hub<App, User>) => hub.channel("room/:room", { room: "" })
type Options = server.CreateHubOptions<App, User>
declare global {
  const app: App
  const createHub: typeof server.createHub
  const memoryLog: typeof server.memoryLog
  const lmdbLog: typeof import("holdfast/lmdb").lmdbLog
  const redisLog: typeof import("holdfast/redis").redisLog
  const createCluster: typeof import("redis").createCluster
  const rootNodes: Parameters<typeof createCluster>[0]["rootNodes"]
  const url: string
  const hub: server.Hub<App, User>
  const room: ReturnType<typeof channelOf>
  const authenticate: (credentials: server.Credentials<IncomingMessage>) => Promise<User>
  const channels: NonNullable<Options["channels"]>
  const log: server.Log
  const limits: NonNullable<Options["limits"]>
  const logger: server.Logger
  const origins: server.Origins
  const compression: NonNullable<Options["compression"]>
  const createServer: typeof import("node:http").createServer
  const yourApp: RequestListener
  const database: { end: () => Promise<void> }
  const myLog: typeof server.memoryLog
  const describe: typeof import("node:test").describe
  const test: typeof import("node:test").test
}
`

test.each([
  ["server.md", 6],
  ["logs.md", 3],
  ["operating.md", 3],
])("the code on the page %s compiles", (name, least) => {
  const page = readPage(name)
  expect(page.blocks.filter(({ info }) => info === "ts").length).toBeGreaterThanOrEqual(least)
  expect(compilePage(page, name, { "surroundings.ts": SURROUNDINGS })).toBe("")
})
