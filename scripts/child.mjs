const SAME_KEYSTROKE_MS = 300

/**
 * Makes a child the heart of this process: signals go to it, and this process ends as it ends.
 *
 * One Ctrl-C reaches us twice, from the terminal and from npm, and the child must not take the second for impatience;
 * so a repetition within the blink of an eye is dropped.
 * @param {import("node:child_process").ChildProcess} child
 */
export function passSignals(child) {
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    let passedMs = Number.NEGATIVE_INFINITY
    process.on(signal, () => {
      if (performance.now() - passedMs < SAME_KEYSTROKE_MS) return
      passedMs = performance.now()
      child.kill(signal)
    })
  }
  child.on("error", (error) => {
    console.error(error.message)
    process.exitCode = 1
  })
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
