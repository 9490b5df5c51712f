import { readFileSync } from "node:fs"
import { join } from "node:path"
import { npm, root } from "./processes.mjs"
import { Failure, progress } from "./progress.mjs"

/** Installs the packages of package-lock.json, unless exactly these are in node_modules already. */
export async function install() {
  if (isInstalled()) return
  await progress("Installing packages (npm ci)", async () => {
    // --include=dev, because NODE_ENV=production would leave out what builds the library.
    const { ok, output } = await npm(["ci", "--include=dev", "--no-audit", "--no-fund", "--loglevel=error"])
    if (!ok) throw new Failure(explain(output))
  })
}

/** @typedef {{ version?: string, optional?: boolean, os?: string[], cpu?: string[], libc?: string[] }} LockedPackage */

/**
 * npm writes node_modules/.package-lock.json as the last act of an install, so an install that was interrupted has
 * none. What it lists is compared by version rather than by date: a fresh clone's dates say nothing.
 */
function isInstalled() {
  const wanted = lockedPackages("package-lock.json")
  const present = lockedPackages("node_modules/.package-lock.json")
  if (wanted === undefined || present === undefined) return false
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true
    const installed = present[path]
    return installed === undefined ? isForAnotherPlatform(entry) : installed.version === entry.version
  })
}

/**
 * @param {string} file
 * @returns {Record<string, LockedPackage> | undefined}
 */
function lockedPackages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), "utf8")).packages
  } catch {
    return undefined
  }
}

/**
 * Whether npm may rightly have left out a package. The C library cannot be asked for from here, so a package that
 * names one counts as foreign.
 * @param {LockedPackage} entry
 */
function isForAnotherPlatform({ optional, os, cpu, libc }) {
  if (!optional) return false
  const fits = (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true)
  return !fits || libc !== undefined || (os === undefined && cpu === undefined)
}

/**
 * @param {string} output
 */
function explain(output) {
  const offline =
    /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED)\b/
  const code = offline.exec(output)?.[1]
  if (code === undefined)
    return `${output.trim()}\n\nnpm could not install the packages; its words are above.`
  return [
    `The packages could not be installed: npm does not reach its registry (${code}).`,
    "They are needed once. With a network connection, or with npm's registry or proxy configured",
    "(npm config set registry ..., npm config set proxy ...), run the same command again.",
  ].join("\n")
}
