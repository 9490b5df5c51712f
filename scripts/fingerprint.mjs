import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { root } from "./processes.mjs"

/**
 * All files under the given files and folders, relative to the root, sorted. What does not exist has none.
 * @param {readonly string[]} paths
 * @returns {string[]}
 */
export function filesUnder(paths) {
  return paths.flatMap((path) => {
    if (!existsSync(join(root, path))) return []
    if (statSync(join(root, path)).isFile()) return [path]
    const names = readdirSync(join(root, path)).sort()
    return filesUnder(
      names
        .filter((name) => name !== "dist" && name !== "node_modules" && !name.startsWith("."))
        .map((name) => `${path}/${name}`),
    )
  })
}

/**
 * One hash over the names and contents of files.
 * @param {readonly string[]} files
 */
export function fingerprint(files) {
  const hash = createHash("sha256")
  for (const file of files) {
    const content = readFileSync(join(root, file))
    hash.update(`${file}\0${content.length}\0`).update(content)
  }
  return hash.digest("hex")
}

/**
 * The stamp of a build step: the fingerprint of what it was made from. It is absent while the step runs, so an
 * interrupted step is done again.
 * @param {string} step
 */
export function stamp(step) {
  const file = join(root, ".cache/build", step)
  return {
    read: () => (existsSync(file) ? readFileSync(file, "utf8") : undefined),
    clear: () => rmSync(file, { force: true }),
    write: (/** @type {string} */ content) => {
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    },
  }
}
