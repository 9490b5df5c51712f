import { spawn } from "node:child_process"
import { root } from "./processes.mjs"

const SAME_KEYSTROKE_MS = 300

/**
 * Runs Node with the given arguments as the heart of this process: it has our terminal, signals go to it, and this
 * process ends as it ends.
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 */
export async function become(args, env) {
  const followParent = ["--import", new URL("follow-parent.mjs", import.meta.url).href]
  const child = spawn(process.execPath, [...followParent, ...args], {
    cwd: root,
    stdio: "inherit",
    env,
    // One Ctrl-C goes to the whole process group, and npm sends it once more. In a group of its own, the child gets
    // what we pass on, and does not take the echo for impatience.
    detached: process.platform !== "win32",
  })
  if (process.env.npm_lifecycle_event !== undefined) await import("./follow-parent.mjs")
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) passOn(signal, child)
  child.on("error", (error) => {
    console.error(error.message)
    process.exit(1)
  })
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/**
 * @param {NodeJS.Signals} signal
 * @param {import("node:child_process").ChildProcess} child
 */
function passOn(signal, child) {
  let passedMs = Number.NEGATIVE_INFINITY
  process.on(signal, () => {
    if (performance.now() - passedMs < SAME_KEYSTROKE_MS) return
    passedMs = performance.now()
    child.kill(signal)
  })
}
