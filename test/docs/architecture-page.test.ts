import { readdirSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { readPage } from "./markdown.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const page = readPage("../ARCHITECTURE.md")

/** Those that are made, and not kept. */
const MADE = ["node_modules", "dist", "coverage"]

/** The folders that are kept, those of src/ and of the root. */
function folders(): string[] {
  const top = foldersIn(root).filter(
    (name) => name !== "src" && !name.startsWith(".") && !MADE.includes(name),
  )
  return [...top, ...foldersIn(`${root}src`).map((name) => `src/${name}`)].toSorted()
}

function foldersIn(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

test("the architecture has a row for each folder, and for no other", () => {
  const rows = page.sections.find(({ title }) => title === "The arrows")?.rows.slice(1) ?? []
  expect(rows.map(([cell]) => cell?.replaceAll("`", "")).toSorted()).toEqual(folders())
})
