import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { defaultKeep } from "../../src/hub/channel/retention.ts"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

const page = readPage("contract.md")
const rowsOf = (title: string) =>
  page.sections
    .find((section) => section.title === title)
    ?.rows.slice(1)
    .map(([name = "", ...rest]) => [name.replaceAll("`", ""), ...rest])

const SURROUNDINGS = {
  "contract.ts": page.blocks.find(({ text }) => text.startsWith("// contract.ts"))?.text ?? "",
  "globals.ts": `
import type * as contract from "./contract.ts"
import type * as server from "holdfast/server"
declare global {
  const app: typeof contract.app
  const createHub: typeof server.createHub
  const authenticate: () => Promise<{ readonly name: string }>
  interface Bid { readonly amount: number; readonly by: string }
  const auctions: { bid: (lot: string, bid: Bid) => Promise<{ taken: boolean; highest: Bid }> }
}
`,
}

test("the code on the page of the contract compiles", () => {
  expect(page.blocks.filter(({ info }) => info === "ts").length).toBe(2)
  expect(compilePage(page, "contract", SURROUNDINGS)).toBe("")
})

test("the page lists every facet", () => {
  const source = readFileSync(new URL("../../src/contract/channel.ts", import.meta.url), "utf8")
  const [, body = ""] = /interface ChannelDefinition \{\n([\s\S]*?)\n\}/.exec(source) ?? []
  const facets = [...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name]) => name)
  expect(
    rowsOf("Facets")
      ?.map(([name]) => name)
      ?.toSorted(),
  ).toEqual(facets.toSorted())
})

test("the page tells what is kept by default", () => {
  const listed = rowsOf("Keeping")?.map(([name, value]) => [name, Number(value || Number.POSITIVE_INFINITY)])
  expect(Object.fromEntries(listed ?? [])).toEqual(defaultKeep)
})
