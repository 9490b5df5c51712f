import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../../", import.meta.url))

/** A project as a user has it: with the package as it is published among its dependencies. */
export function createProject(files: readonly string[]): {
  readonly folder: string
  readonly remove: () => void
} {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-project-"))
  const modules = join(folder, "node_modules")
  mkdirSync(join(modules, "holdfast"), { recursive: true })
  for (const part of ["package.json", "dist"])
    cpSync(join(root, part), join(modules, "holdfast", part), { recursive: true })
  symlinkSync(join(root, "node_modules/ws"), join(modules, "ws"))
  writeFileSync(
    join(folder, "package.json"),
    JSON.stringify({ type: "module", dependencies: { holdfast: "*", ws: "*" } }),
  )
  for (const file of files) cpSync(fileURLToPath(new URL(file, import.meta.url)), join(folder, file))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
