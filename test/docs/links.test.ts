import { existsSync, readdirSync } from "node:fs"
import { posix } from "node:path"
import { expect, test } from "vitest"
import { type Page, readPage } from "./markdown.ts"

const root = new URL("../../", import.meta.url)
const names = [
  "README.md",
  "ARCHITECTURE.md",
  "CONTRIBUTING.md",
  "CHANGELOG.md",
  "examples/README.md",
  ...readdirSync(new URL("docs/", root))
    .filter((file) => file.endsWith(".md"))
    .map((file) => `docs/${file}`),
]
const pages = new Map<string, Page>(names.map((name) => [name, readPage(`../${name}`)]))

/** Undefined when the link leads to a file, and to a heading of it. */
function deadEnd(from: string, link: string): string | undefined {
  const [path = "", anchor] = link.split("#")
  const target = path === "" ? from : posix.join(posix.dirname(from), path)
  if (!existsSync(new URL(target, root))) return `${link}: there is no ${target}`
  const sections = pages.get(target)?.sections ?? []
  if (anchor === undefined || sections.some((section) => section.anchor === anchor)) return undefined
  return `${link}: no heading in ${target}`
}

test.each(names)("the links of %s lead somewhere", (name) => {
  const links = (pages.get(name) as Page).links.filter((link) => !/^https?:/.test(link))
  expect(links.map((link) => deadEnd(name, link)).filter((complaint) => complaint !== undefined)).toEqual([])
})

test("the README leads to every page", () => {
  const linked = pages.get("README.md")?.links.map((link) => link.split("#")[0])
  for (const name of names.filter((name) => name.startsWith("docs/"))) expect(linked).toContain(name)
})
