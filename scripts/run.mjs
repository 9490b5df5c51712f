// Runs a TypeScript program of the repository (a benchmark, the simulation) on the built library:
// node scripts/run.mjs bench/main.ts fanout
import "./node-version.mjs"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { build } from "./build.mjs"
import { passSignals } from "./child.mjs"
import { install } from "./install.mjs"
import { root } from "./processes.mjs"
import { script } from "./progress.mjs"

await script(async () => {
  await install()
  await build()
  const child = spawn(process.execPath, ["--import", "tsx", ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    // tsx would follow the `paths` of tsconfig.json to the sources; what is measured is what is published.
    env: { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.base.json") },
  })
  passSignals(child)
})
