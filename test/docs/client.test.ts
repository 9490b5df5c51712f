import { execFileSync } from "node:child_process"
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { readPage } from "./markdown.ts"

const page = readPage("client.md")
const root = fileURLToPath(new URL("../../", import.meta.url))

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
  // below the package, so that its dependencies are found
  const folder = join(root, "node_modules", ".cache", `client-page-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, "contract.ts"), SURROUNDINGS)
  for (const { text, line } of blocks) writeFileSync(join(folder, `line-${line}.ts`), `${text}\nexport {}\n`)
  const { paths } = JSON.parse(
    readFileSync(join(root, "tsconfig.json"), "utf8").replaceAll(/^\s*\/\/.*$/gm, ""),
  ).compilerOptions as { paths: Record<string, string[]> }
  const absolute = Object.entries(paths).map(([name, [file]]) => [name, [join(root, file as string)]])
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(root, "tsconfig.base.json"),
      compilerOptions: {
        lib: ["ES2023", "DOM", "DOM.Iterable"],
        types: ["node"],
        paths: Object.fromEntries(absolute),
      },
      include: ["*.ts"],
    }),
  )
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc")
  let complaints = ""
  try {
    execFileSync(process.execPath, [tsc, "-p", folder], { cwd: folder, encoding: "utf8" })
  } catch (error) {
    complaints = (error as { stdout: string }).stdout
  }
  expect(complaints).toBe("")
})

test("the page's links lead somewhere", () => {
  const anchors = page.sections.map(({ anchor }) => `#${anchor}`)
  for (const link of page.links.filter((target) => target.startsWith("#"))) expect(anchors).toContain(link)
})
