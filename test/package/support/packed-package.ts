import { execFileSync } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { npm } from "../../../scripts/processes.mjs"

export const root = fileURLToPath(new URL("../../../", import.meta.url))

/** The package as it would be published, in a folder that `remove` deletes. */
export async function packPackage(): Promise<{ readonly tarball: string; readonly remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-packed-"))
  const { ok, output } = await npm(["pack", "--ignore-scripts", "--pack-destination", folder])
  const file = readdirSync(folder).find((name) => name.endsWith(".tgz"))
  if (!ok || file === undefined) throw new Error(output)
  return { tarball: join(folder, file), remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** What a user's project has installed, beside the package. */
const INSTALLED = ["@standard-schema/spec", "@types/node", "undici-types", "ws"]

/** A user's project, of CommonJS, with the packed package among its dependencies. */
export function createProject(tarball: string, files: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-project-"))
  const modules = join(folder, "node_modules")
  mkdirSync(join(modules, "holdfast"), { recursive: true })
  execFileSync("tar", ["-xzf", tarball, "-C", join(modules, "holdfast"), "--strip-components=1"])
  for (const name of INSTALLED) {
    mkdirSync(dirname(join(modules, name)), { recursive: true })
    symlinkSync(join(root, "node_modules", name), join(modules, name))
  }
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "project", version: "1.0.0" }))
  for (const [file, text] of Object.entries(files)) writeFileSync(join(folder, file), text)
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
