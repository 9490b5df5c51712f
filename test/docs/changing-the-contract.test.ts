import { expect, test } from "vitest"
import { compilePage } from "./compile-page.ts"
import { readPage } from "./markdown.ts"

const page = readPage("changing-the-contract.md")

test("the code on the page about changing the contract compiles", () => {
  expect(page.blocks.filter(({ info }) => info === "ts").length).toBe(1)
  expect(compilePage(page, "changing-the-contract", {})).toBe("")
})

test("the page says what happens for each kind of change", () => {
  const rows = page.sections.find(({ title }) => title === "Change by change")?.rows.slice(1) ?? []
  const changes = rows.map(([change]) => change).join("\n")
  for (const kind of ["add a channel", "remove or rename", "optional field", "required field", "narrow"])
    expect(changes).toContain(kind)
  for (const row of rows) expect(row.filter((cell) => cell !== "")).toHaveLength(3)
})
