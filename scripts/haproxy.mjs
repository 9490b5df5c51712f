// HAProxy in front of nodes of this machine, set up as it would be elsewhere.
import { spawn } from "node:child_process"
import { writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { Failure } from "./progress.mjs"

const RETRY_MS = 20

/**
 * Resolves when it takes connections.
 * @param {string} program
 * @param {string} folder for its configuration
 * @param {number} port
 * @param {readonly number[]} targets
 */
export async function startHaproxy(program, folder, port, targets) {
  const file = join(folder, "haproxy.cfg")
  writeFileSync(file, configuration(port, targets))
  // a group of its own: Ctrl-C comes to us
  const child = spawn(program, ["-db", "-f", file], { detached: true, stdio: ["ignore", "ignore", "pipe"] })
  let said = ""
  child.stderr.on("data", (/** @type {Buffer} */ chunk) => {
    said = `${said}${chunk}`.slice(-2_000)
  })
  /** @type {string | undefined} */
  let failure
  child.once("error", (error) => (failure = error.message))
  child.once("exit", (code) => (failure = `it has ended with ${code}:\n${said}`))
  while (!(await takesConnections(port))) {
    if (failure !== undefined) throw new Failure(`HAProxy does not start: ${failure}`)
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  return child
}

/**
 * @param {number} port
 * @param {readonly number[]} targets
 */
function configuration(port, targets) {
  const servers = targets.map(
    (target, index) =>
      `  server node${index + 1} 127.0.0.1:${target} check inter 200ms fastinter 50ms fall 1 rise 1 on-error mark-down observe layer4`,
  )
  return `
defaults
  mode tcp
  timeout connect 2s
  # longer than the pause between two heartbeats
  timeout client 60s
  timeout server 60s
  # one that has just died is found out by those who come
  option redispatch 1
  retries 3
listen nodes
  bind 127.0.0.1:${port}
  balance leastconn
  option httpchk GET /readyz
${servers.join("\n")}
`
}

/**
 * @param {number} port
 * @returns {Promise<boolean>}
 */
function takesConnections(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
    socket.once("connect", () => {
      socket.destroy()
      resolve(true)
    })
    socket.once("error", () => resolve(false))
  })
}
