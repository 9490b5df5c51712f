import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, beforeAll, expect, test } from "vitest"
import { packPackage, root } from "./support/packed-package.ts"

let packed: Awaited<ReturnType<typeof packPackage>>
beforeAll(async () => {
  packed = await packPackage()
})
afterAll(() => packed.remove())

const run = promisify(execFile)
const linter = (file: string, ...args: readonly string[]) =>
  run(process.execPath, [join(root, "node_modules", file), ...args, packed.tarball])

test("publint finds nothing wrong with the tarball", async () => {
  const { stdout } = await linter("publint/src/cli.js", "--strict")
  expect(stdout).toContain("All good!")
})

test("the types of every entry resolve, in every kind of resolution", async () => {
  // Every supported Node can require an ES module that awaits nothing at its top; `commonjs.test.ts` does so.
  const ignored = ["--ignore-rules", "cjs-resolves-to-esm"]
  const { stdout } = await linter(
    "@arethetypeswrong/cli/dist/index.js",
    ...ignored,
    "--no-emoji",
    "--format",
    "ascii",
  )
  expect(stdout).toContain("No problems found")
})
