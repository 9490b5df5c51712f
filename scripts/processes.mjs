import { spawn } from "node:child_process"
import process from "node:process"
import { fileURLToPath } from "node:url"

/** The repository's root folder. */
export const root = fileURLToPath(new URL("..", import.meta.url))

/**
 * Runs a program in the repository's root to its end. With `quiet` its output is collected rather than shown.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ quiet?: boolean, env?: NodeJS.ProcessEnv, shell?: boolean }} [options]
 * @returns {Promise<{ ok: boolean, output: string }>} `ok` says that it could be started and ended with 0
 */
export function run(command, args, { quiet = false, env = process.env, shell = false } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env,
      shell,
      stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    })
    let output = ""
    const collect = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString()
    }
    child.stdout?.on("data", collect)
    child.stderr?.on("data", collect)
    child.on("error", (error) => resolve({ ok: false, output: `${output}${error.message}\n` }))
    child.on("close", (code) => resolve({ ok: code === 0, output }))
  })
}

/**
 * Runs a JavaScript file with the Node that runs this script.
 * @param {string} file relative to the root
 * @param {readonly string[]} args
 * @param {Parameters<typeof run>[2]} [options]
 */
export function node(file, args, options) {
  return run(process.execPath, [file, ...args], options)
}

/**
 * Runs npm, quietly: the very npm that started us if one did.
 * @param {readonly string[]} args
 */
export function npm(args) {
  const cli = process.env.npm_execpath
  if (cli?.endsWith("npm-cli.js")) return run(process.execPath, [cli, ...args], { quiet: true })
  return run("npm", args, { quiet: true, shell: process.platform === "win32" })
}
