// The playground on a fresh clone, with no step before it: `npm start`.
import "./node-version.mjs"
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { build } from "./build.mjs"
import { passSignals } from "./child.mjs"
import { install } from "./install.mjs"
import { root } from "./processes.mjs"
import { Failure, script } from "./progress.mjs"

const SERVER = "playground/dist/server.js"

await script(async () => {
  await install()
  await build()
  if (!existsSync(join(root, SERVER))) throw new Failure(`There is no playground/server.ts to start.`)
  const child = spawn(process.execPath, ["--enable-source-maps", SERVER, ...process.argv.slice(2)], {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, PORT: process.env.PORT || "8080" },
    // In a terminal, a process group of its own: Ctrl-C then reaches the server once, through us.
    detached: process.stdin.isTTY === true,
  })
  passSignals(child)
})
