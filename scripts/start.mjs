// The playground on a fresh clone, with no step before it: `npm start`.
import "./node-version.mjs"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { build } from "./build.mjs"
import { become } from "./child.mjs"
import { install } from "./install.mjs"
import { root } from "./processes.mjs"
import { Failure, script } from "./progress.mjs"

const SERVER = "playground/dist/server.js"

await script(async () => {
  await install()
  await build()
  if (!existsSync(join(root, SERVER))) throw new Failure("There is no playground/server.ts to start.")
  const env = { ...process.env, PORT: process.env.PORT || "8080" }
  await become(["--enable-source-maps", SERVER, ...process.argv.slice(2)], env)
})
