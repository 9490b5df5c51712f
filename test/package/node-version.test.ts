import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { expect, test } from "vitest"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** Runs a script on this Node, which says that it is another. */
function runAs(version: string, script: string) {
  const pretend = `Object.defineProperty(process,"versions",{value:{...process.versions,node:"${version}"}})`
  const args = ["--import", `data:text/javascript,${pretend}`, script]
  return spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" })
}

test.each(["start", "test", "build", "cluster"])("npm run %s says which Node it needs", (name) => {
  const { status, stderr } = runAs("18.1.0", `scripts/${name}.mjs`)
  expect(stderr).toMatch(/^Holdfast needs Node 20\.19 or newer; this is Node 18\.1\.0 \(.*\)\.\n$/)
  expect(status).toBe(1)
})
