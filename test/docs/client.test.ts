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
  function showTyping(member: string | undefined): void
  function showBid(bid: { amount: number }): void
  function showTasks(tasks: readonly { id: number; title: string }[] | undefined): void
  function askUser(): void
  function signInAgain(): void
}
`

test("the code on the page of the client compiles", { timeout: 60_000 }, () => {
  const blocks = page.blocks.filter(({ info }) => info === "ts")
  expect(blocks.length).toBeGreaterThan(12)
  expect(compilePage(page, "client", { "contract.ts": SURROUNDINGS })).toBe("")
})
