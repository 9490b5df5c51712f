import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

const page = readPage("../README.md")
const rowsOf = (title: string) => page.sections.find((section) => section.title === title)?.rows ?? []

test("the code of the README compiles", () => {
  const contract = page.blocks.find(({ text }) => text.startsWith("// contract.ts"))?.text ?? ""
  expect(compilePage(page, "readme", { "contract.ts": contract })).toBe("")
})

test("the README names the Node that is needed", () => {
  const { engines } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  const text = readFileSync(new URL("../../README.md", import.meta.url), "utf8")
  expect(text).toContain(`Node ${engines.node.replace(">=", "")} or later`)
})

test("the README's figures are those of the benchmarks' page", () => {
  const [, ...rows] = rowsOf("What it costs")
  const measured = readPage("benchmarks.md").sections.find(({ title }) => title === "Latest results")?.rows
  expect(rows.length).toBe(3)
  for (const [server, ...figures] of rows) {
    const cells = measured?.filter(([name]) => name === server).map(([, figure]) => figure)
    expect(cells?.slice(0, figures.length)).toEqual(figures)
  }
})
