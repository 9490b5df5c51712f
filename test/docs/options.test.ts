import { readFileSync } from "node:fs"
import { describe, expect, test } from "vitest"
import { lmdbLogDefaults } from "../../src/logs/lmdb/options.ts"
import { memoryLogDefaults } from "../../src/logs/memory/index.ts"
import { redisLogDefaults } from "../../src/logs/redis/options.ts"
import { readPage } from "./markdown.ts"

const textOf = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")
const rowsOf = (page: string, title: string) =>
  readPage(page).sections.find((section) => section.title === title)?.rows ?? []

/** The members of an interface in a source file. */
function membersOf(file: string, name: string): string[] {
  const [, body = ""] =
    new RegExp(`interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)\\n\\}`).exec(textOf(file)) ?? []
  return [...body.matchAll(/^ {2}readonly (\w+)/gm)].map(([, member]) => member as string)
}

/** The names in the first cells of a table. */
const namesOf = (rows: readonly string[][]) =>
  rows.flatMap(([cell = ""]) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name as string))

test.each([
  ["client.md", "Connecting", "src/client/connect.ts", "ConnectOptions"],
  ["tabs.md", "One connection for all tabs", "src/tabs/shared-tabs.ts", "SharedTabsOptions"],
])("%s lists every option, and no other", (page, title, file, name) => {
  const options = membersOf(file, name)
  expect(options.length).toBeGreaterThan(3)
  expect(namesOf(rowsOf(page, title)).toSorted()).toEqual(options.toSorted())
})

test("the page of the server shows every option of createHub", () => {
  const options = [
    ...membersOf("src/hub/api/options.ts", "HubOptions"),
    ...membersOf("src/server/node/options.ts", "CreateHubOptions"),
  ]
  const [, shown = ""] = /createHub\(app, \{ (.*) \}\)/.exec(textOf("docs/server.md")) ?? []
  expect(shown.split(", ").toSorted()).toEqual([...new Set(options)].toSorted())
})

describe("the page of logs", () => {
  const limits = rowsOf("logs.md", "Limits").slice(1)
  const listed = (column: number) =>
    Object.fromEntries(
      limits
        .filter((row) => row[column] !== "–")
        .map((row) => [namesOf([row])[0], Number(row[column]?.replaceAll(",", ""))]),
    )

  test("lists the limits of the memory log as they are", () => {
    expect(listed(1)).toEqual(memoryLogDefaults)
  })

  test("lists the limits of the lmdb log as they are", () => {
    const limitsOnly = Object.entries(lmdbLogDefaults).filter(([name]) => name.endsWith("Max"))
    expect(listed(2)).toEqual(Object.fromEntries(limitsOnly))
  })

  test("tells of every option of the logs", () => {
    const text = textOf("docs/logs.md")
    const options = [...Object.keys(lmdbLogDefaults), ...Object.keys(redisLogDefaults)]
    expect(options.filter((name) => !new RegExp(`\\b${name}\\b`).test(text))).toEqual([])
  })

  test("tells the limits of the Redis log as they are", () => {
    const text = textOf("docs/logs.md").replaceAll("\n", " ")
    for (const name of [
      "keysPerCollectionMax",
      "tombstonesPerCollectionMax",
      "idempotencyKeysPerChannelMax",
      "pendingAppendsMax",
    ] as const)
      expect(text).toContain(`\`${name}\` (${redisLogDefaults[name].toLocaleString("en")}`)
    expect(redisLogDefaults).toMatchObject({
      waitMs: 10_000,
      heartbeatMs: 5_000,
      answerTimeoutMs: 4_000,
      pendingBytesMax: 64 * 2 ** 20,
    })
    expect(text).toContain("`waitMs` (10 seconds)")
    expect(text).toContain("`heartbeatMs` and `answerTimeoutMs` (5 and 4 seconds)")
    expect(text).toContain("`pendingBytesMax` (64 MiB)")
  })
})

test.each([
  ["client.md", "bundle-size.test.ts", "BYTES_MAX"],
  ["react.md", "bundle-size.test.ts", "REACT_BYTES_MAX"],
  ["tabs.md", "tabs-size.test.ts", "BYTES_MAX"],
])("%s tells the size that a test holds the bundle to", (page, file, constant) => {
  const [, factor] =
    new RegExp(`const ${constant} = ([\\d.]+) \\* 1024`).exec(textOf(`test/package/${file}`)) ?? []
  const sizes = rowsOf(page, "Limits").filter(([what]) => /bundle/.test(what ?? ""))
  expect(sizes.map(([, size]) => size)).toEqual([`${factor} KiB, held by a test`])
})
