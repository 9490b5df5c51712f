import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { redisLogDefaults } from "../../src/logs/redis/options.ts"
import { drainDefaults } from "../../src/server/drain.ts"
import { readPage } from "./markdown.ts"

const page = readPage("operating.md")
const rowsOf = (title: string) => page.sections.find((section) => section.title === title)!.rows

test("the page lists the options of draining as they are", () => {
  const rows = rowsOf("Draining").filter(([name]) => name!.startsWith("`"))
  const { reason, ...numbers } = drainDefaults
  const listed = rows.map(([name, value]) => [name!.replaceAll("`", ""), Number(value || Number.NaN)])
  expect(Object.fromEntries(listed)).toEqual({ ...numbers, reason: Number.NaN })
  expect(reason).toBeTypeOf("string")
})

test("the page tells the limits of the Redis log as they are", () => {
  expect(redisLogDefaults).toMatchObject({
    waitMs: 10_000,
    pendingAppendsMax: 20_000,
    pendingBytesMax: 64 * 2 ** 20,
  })
  const text = readFileSync(new URL("../../docs/operating.md", import.meta.url), "utf8")
  expect(text).toMatch(
    /`waitMs` \(10 seconds\), `pendingAppendsMax` \(20,000\) and\n`pendingBytesMax` \(64 MiB\)/,
  )
})
