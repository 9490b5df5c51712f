import { readdirSync, readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { errorCodes } from "../../src/protocol/error-codes.ts"
import { readPage } from "./markdown.ts"

const page = readPage("errors.md")
const text = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8")
const codes = Object.keys(errorCodes)

const sourceFolder = new URL("../../src/", import.meta.url)
const sources = readdirSync(sourceFolder, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !file.endsWith("error-codes.ts"))
  .map((file) => ({ file, source: readFileSync(new URL(file.replaceAll("\\", "/"), sourceFolder), "utf8") }))

/** What stands under the heading of a code, up to the next one. */
function sectionOf(code: string): string {
  const [, rest = ""] = text.split(`### \`${code}\`\n`)
  return rest.split(/^##/m)[0] as string
}

test("the page of errors lists every code, and no other", () => {
  const listed = page.sections.flatMap(({ title }) => /^`(.+)`$/.exec(title)?.[1] ?? [])
  expect(listed.toSorted()).toEqual(codes.toSorted())
})

describe.each(Object.entries(errorCodes))("%s", (code, sentence) => {
  test("begins with its sentence, and says when it comes and what to do", () => {
    const section = sectionOf(code)
    expect(section.replaceAll("\n", " ")).toMatch(/^ \S.* {2}When: .* {2}What to do: /)
    expect(section.trimStart().startsWith(`${sentence}\n`)).toBe(true)
  })

  test("occurs in the sources", () => {
    expect(sources.some(({ source }) => source.includes(`"${code}"`))).toBe(true)
  })
})

test("no other code occurs in the sources", () => {
  const used = sources.flatMap(({ file, source }) =>
    [...source.matchAll(/new HoldfastError\(\s*"(\w+)"/g)].map(([, code]) => ({ file, code })),
  )
  expect(used.length).toBeGreaterThan(30)
  expect(used.filter(({ code }) => !codes.includes(code as string))).toEqual([])
})
