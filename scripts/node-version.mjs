// Imported for its effect, and before anything else: a Node that is too old gets a sentence instead of a stack trace.
// Nothing in here, or in what it imports, may use syntax that an old Node cannot parse.
import { readFileSync } from "node:fs"
import process from "node:process"

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"))

/** The oldest Node that is supported, from `engines` in package.json: [major, minor]. */
export const oldestSupported = engines.node.match(/\d+/g).map(Number)

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const [oldestMajor, oldestMinor] = oldestSupported
if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor)) {
  console.error(
    `Holdfast needs Node ${oldestSupported.join(".")} or newer; this is Node ${process.versions.node} (${process.execPath}).`,
  )
  process.exit(1)
}
