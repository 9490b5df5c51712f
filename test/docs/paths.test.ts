import { existsSync, readdirSync, readFileSync } from "node:fs"
import { expect, test } from "vitest"

const root = new URL("../../", import.meta.url)
const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !entry.name.startsWith("."))
  .map(({ name }) => name)
/** What a path without its root may begin with, as in `hub/handlers/dispatch`. */
const layers = readdirSync(new URL("src/", root))

/** What stands in backticks and is a path: below a folder of the root or of src/, or a file of the root. */
function pathsIn(page: string): string[] {
  const text = readFileSync(new URL(page, root), "utf8")
  const quoted = [...text.matchAll(/`([\w./-]+)(?:#[\w-]+)?`/g)].map(([, path]) => path as string)
  return [...new Set(quoted)].filter((path) => {
    const [first = "", second] = path.split("/")
    if (second === undefined)
      return /\.(?:md|ts|json|mjs)$/.test(path) && !/^(?:index|options|hub)\.ts$/.test(path)
    return folders.includes(first) || layers.includes(first)
  })
}

/** A path may leave away `src/` and `.ts`. */
function isThere(path: string): boolean {
  const candidates = [path, `src/${path}`, `${path}.ts`, `src/${path}.ts`]
  return candidates.some((candidate) => existsSync(new URL(candidate, root)))
}

/** Public names of the package look like paths. */
const isPublicName = (path: string) => path.startsWith("holdfast/")

test.each(["CONTRIBUTING.md", "ARCHITECTURE.md"])("every path that %s names exists", (page) => {
  const paths = pathsIn(page).filter((path) => !isPublicName(path))
  expect(paths.length).toBeGreaterThan(30)
  expect(paths.filter((path) => !isThere(path))).toEqual([])
})

test("a path that does not exist is noticed", () => {
  expect(isThere("src/hub/hub.ts")).toBe(true)
  expect(isThere("hub/hub")).toBe(true)
  expect(isThere("src/hub/nothing.ts")).toBe(false)
})
