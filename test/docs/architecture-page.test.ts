import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"
import { readPage } from "./markdown.ts"

const root = fileURLToPath(new URL("../../", import.meta.url))
const page = readPage("../ARCHITECTURE.md")

/** The folders that are kept, those of src/ and of the root. */
function folders(): string[] {
  const files = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8" }).split("\0")
  const found = files.flatMap((file) => /^(src\/[^/]+|(?!src|\.)[^/]+)\//.exec(file)?.[1] ?? [])
  return [...new Set(found)].toSorted()
}

test.skipIf(!existsSync(`${root}.git`))(
  "the architecture has a row for each folder, and for no other",
  () => {
    const rows = page.sections.find(({ title }) => title === "The arrows")?.rows.slice(1) ?? []
    expect(rows.map(([cell]) => cell?.replaceAll("`", "")).toSorted()).toEqual(folders())
  },
)
