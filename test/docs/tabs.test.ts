import { expect, test } from "vitest"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

const page = readPage("tabs.md")

/** What the blocks of the page take for granted. */
const SURROUNDINGS = `
import { contract } from "holdfast"
export const app = contract({})
type App = typeof app
declare global {
  const app: App
  const userId: string
  function fetchToken(): Promise<string>
}
`

test("the code on the page of tabs compiles", () => {
  expect(page.blocks.filter(({ info }) => info === "ts").length).toBe(3)
  expect(compilePage(page, "tabs", { "contract.ts": SURROUNDINGS })).toBe("")
})
