import { readFileSync } from "node:fs"
import { expect, test } from "vitest"
import { missingFrom } from "../scripts/complete-lockfile.mjs"

const { packages } = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8"))

test("the lock file names no registry but npm's own", () => {
  const foreign = Object.values<{ resolved?: string }>(packages).filter(
    ({ resolved }) => resolved !== undefined && !resolved.startsWith("https://registry.npmjs.org/"),
  )
  expect(foreign).toEqual([])
})

test("the lock file lists native packages for all platforms (else: node scripts/complete-lockfile.mjs)", () => {
  expect(missingFrom(packages).map(({ name }) => name)).toEqual([])
})

test("a native package that is missing is noticed", () => {
  const planted = {
    "node_modules/a": {
      version: "1.0.0",
      optionalDependencies: { "a-linux-x64": "1.0.0", "a-win32-x64": "1.0.0" },
    },
    "node_modules/a/node_modules/a-linux-x64": { version: "1.0.0" },
  }
  expect(missingFrom(planted).map(({ name }) => name)).toEqual(["a-win32-x64"])
})
