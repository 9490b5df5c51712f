// Runs a TypeScript program of the repository (a benchmark, the simulation) on the built library:
// node scripts/run.mjs bench/main.ts fanout
import "./node-version.mjs"
import { join } from "node:path"
import { build } from "./build.mjs"
import { become } from "./child.mjs"
import { install } from "./install.mjs"
import { root } from "./processes.mjs"
import { script } from "./progress.mjs"
import { provide } from "./system-programs.mjs"

await script(async () => {
  await install()
  await build()
  // tsx would follow the `paths` of tsconfig.json to the sources; what is measured is what is published.
  const [folder = ""] = process.argv[2]?.split("/") ?? []
  const env = {
    ...process.env,
    ...(await provide([folder])),
    TSX_TSCONFIG_PATH: join(root, "tsconfig.base.json"),
  }
  await become(["--import", "tsx", ...process.argv.slice(2)], env)
})
