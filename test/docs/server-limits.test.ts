import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { defaultLimits } from "../../src/hub/limits.ts"
import { defaultServerLimits } from "../../src/server/limits.ts"

it("the page on the server lists every limit with its default", () => {
  const page = readFileSync(new URL("../../docs/server.md", import.meta.url), "utf8")
  const rows = [...page.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)].map(([, name, value]) => [name, Number(value)])
  expect(Object.fromEntries(rows)).toEqual({ ...defaultLimits, ...defaultServerLimits })
})
