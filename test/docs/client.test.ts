import { readdirSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

const page = readPage("client.md")

/** What the blocks of the page take for granted. Global, so that a block may declare the same names anew. */
const SURROUNDINGS = `
import { channel, contract } from "holdfast"
import { type Client, connect } from "holdfast/client"
import { z } from "zod"
const Task = z.object({ id: z.number(), title: z.string() })
const bid = z.object({ amount: z.number() })
export const app = contract({
  "room/:room": channel({
    events: { said: { input: z.object({ text: z.string() }), output: z.object({ text: z.string(), by: z.string() }) } },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({}) },
  }),
  "market/:venue": channel({ state: { price: z.object({ bid: z.number(), ask: z.number() }) } }),
  "auction/:lot": channel({ calls: { placeBid: { input: bid, output: bid, errors: { too_low: bid } } } }),
  "project/:id": channel({ events: { added: Task }, snapshot: z.array(Task) }),
})
type App = typeof app
const open = (client: Client<App>) => ({
  room: client.channel("room/:room", { room: "" }),
  market: client.channel("market/:venue", { venue: "" }),
  auction: client.channel("auction/:lot", { lot: "" }),
  project: client.channel("project/:id", { id: "" }),
})
type Open = ReturnType<typeof open>
declare global {
  const app: App
  const client: Client<App>
  const room: Open["room"]
  const market: Open["market"]
  const auction: Open["auction"]
  const project: Open["project"]
  const userId: string
  function fetchToken(): Promise<string>
  function show(by: string, text: string, replayed: boolean): void
  function showGap(reason: string, from: number, to: number): void
  function showPrice(key: string, value: unknown, previous?: unknown): void
  function showStatus(status: string): void
  function showTransport(name: string): void
  function showLog(available: boolean): void
  function showUnsent(count: number): void
  function showRefusal(code: string): void
  function showMembers(members: ReadonlyMap<string, { name: string }>): void
  function showHello(name: string): void
  function showBye(name: string): void
  function showRename(before: string, after: string): void
  function showCount(users: number): void
  function showTyping(member: string | undefined): void
  function showBid(bid: { amount: number }): void
  function showTasks(tasks: readonly { id: number; title: string }[] | undefined): void
  function askUser(): void
  function signInAgain(): void
}
`

test("the code on the page of the client compiles", () => {
  const blocks = page.blocks.filter(({ info }) => info === "ts")
  expect(blocks.length).toBeGreaterThan(12)
  expect(compilePage(page, "client", { "contract.ts": SURROUNDINGS })).toBe("")
})

const folder = new URL("../../src/client/", import.meta.url)
const sources = readdirSync(folder)
  .map((file) => readFileSync(new URL(file, folder), "utf8"))
  .join("\n")
const text = readFileSync(new URL("../../docs/client.md", import.meta.url), "utf8").replaceAll("\n", " ")

test.each([
  ["connectTimeoutMs ?? 20_000", "`connectTimeoutMs` | 20,000 |"],
  ["callTimeoutMs ?? 10_000", "`callTimeoutMs` | 10,000 |"],
  ["bufferedEventsMax ?? 10_000", "`bufferedEventsMax` | 10,000 |"],
  ["entriesMax ?? 1_000", "`{ entriesMax: 1_000 }`"],
  ["minMs: backoff.minMs ?? 250, maxMs: backoff.maxMs ?? 15_000", "`{ minMs: 250, maxMs: 15_000 }`"],
  ["PATIENCE_MS = 2_500", "no welcome comes within 2.5 seconds"],
  ["PROBE_MS = 4_000", "without an answer within 4 seconds"],
  ["LOOK_MS = 2_000", "looked at every 2 seconds"],
  ["CLIMB_MS_MIN = 30_000", "after 15 to 30 seconds"],
  ["CLIMB_MS_MAX = 600_000", "at most every 10 minutes"],
  ["LATE_CALLS_MS = 10_000", "over the old line, for 10 seconds at most"],
  ["REPEAT_PART = 0.8", "four fifths"],
  ["RENEWAL_MARGIN_MS = 30_000", "30 seconds, or a fifth of its life"],
  ["SIGNAL_BUFFER_BYTES_MAX = 64 * 1024", "while signals still leave | 64 KiB |"],
])("the code's %s is what the page says", (code, sentence) => {
  expect(sources).toContain(code)
  expect(text).toContain(sentence)
})
