import { expect, test } from "vitest"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

const page = readPage("react.md")

/** What the blocks of the page take for granted. Global, so that a block may declare the same names anew. */
const SURROUNDINGS = {
  "contract.ts": `
import { channel, contract } from "holdfast"
import { z } from "zod"
export const app = contract({
  "room/:room": channel({
    events: { said: { input: z.object({ text: z.string() }), output: z.object({ text: z.string(), by: z.string() }) } },
    presence: z.object({ name: z.string() }),
    signals: { typing: z.object({}) },
  }),
  "market/:venue": channel({ state: { price: z.object({ bid: z.number() }) } }),
})
`,
  "globals.ts": `
import type { connect as connectTo } from "holdfast/client"
import type * as hooks from "holdfast/react"
import type { ReactNode } from "react"
import type { app as theApp } from "./contract.ts"
import type * as live from "./live.ts"
declare global {
  const app: typeof theApp
  const connect: typeof connectTo
  const useEvents: typeof hooks.useEvents
  const useStateMap: typeof hooks.useStateMap
  const useStatus: typeof hooks.useStatus
  const useChannel: typeof live.useChannel
  const useConnection: typeof live.useConnection
  const HoldfastProvider: typeof live.HoldfastProvider
  const Chat: (props: { id: string; me: string }) => ReactNode
  const Room: (props: { id: string }) => ReactNode
  function fetchToken(): Promise<string>
}
`,
  // the page's first block, under its name
  "live.ts": page.blocks.find(({ text }) => text.startsWith("// live.ts"))?.text ?? "",
}

test("the code on the page of React compiles", () => {
  expect(page.blocks.filter(({ info }) => info === "tsx").length).toBeGreaterThan(5)
  expect(compilePage(page, "react", SURROUNDINGS)).toBe("")
})
