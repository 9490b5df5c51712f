// A Redis, three nodes and a balancer on this machine, with the playground on top: `npm run cluster`. Nodes can be killed and
// watched; one that has died is started again. Ctrl-C ends everything that was started here.
import "./node-version.mjs"
import { spawn } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { startBalancer } from "./balancer.mjs"
import { build } from "./build.mjs"
import { startHaproxy } from "./haproxy.mjs"
import { install } from "./install.mjs"
import { root } from "./processes.mjs"
import { Failure, progress, script } from "./progress.mjs"
import { findProgram, howToGet } from "./system-programs.mjs"

const NODES = 3
/** One that has died stays away so long, so that there is something to watch. */
const RESTART_AFTER_MS = 5_000
/** Another signal after this is meant. */
const SAME_KEYSTROKE_MS = 300
const SERVER = "playground/dist/server.js"

/** @typedef {{ name: string, port: number, child: import("node:child_process").ChildProcess }} Kept */

/** @type {Set<import("node:child_process").ChildProcess>} */
const children = new Set()
let isEnding = false
/** @type {import("node:child_process").ChildProcess | undefined} */
let redisProcess
let signalledMs = Number.NEGATIVE_INFINITY

/** @type {() => Promise<void>} */
let cleanUp = async () => {}

await script(async () => {
  const redisServer = findProgram("redis-server")
  if (redisServer === undefined) throw new Failure(`A redis-server is needed: ${howToGet("redis-server")}.`)
  const wanted = Number(process.env.PORT ?? 8080)
  const port = await freePort(wanted).catch(() => {
    throw new Failure(`Port ${wanted} is in use. Choose another one: PORT=${wanted + 1} npm run cluster`)
  })
  await install()
  await build()
  const folder = mkdtempSync(join(tmpdir(), "holdfast-cluster-"))
  cleanUp = async () => rmSync(folder, { recursive: true, force: true })
  if (process.env.npm_lifecycle_event !== undefined) await import("./follow-parent.mjs")
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, handleSignal)

  const redisPort = await freePort()
  const redis = await progress("Starting Redis", () =>
    keep("Redis", redisPort, () => startRedis(redisServer, folder, redisPort)),
  )
  const redisUrl = `redis://127.0.0.1:${redisPort}`
  const nodes = await progress(`Starting ${NODES} nodes`, () =>
    Promise.all(
      Array.from({ length: NODES }, async (_, index) => {
        const [name, port] = [`node ${index + 1}`, await freePort()]
        return keep(name, port, () => startNode(name, port, redisUrl))
      }),
    ),
  )
  const haproxy = findProgram("haproxy")
  const targets = nodes.map((node) => node.port)
  if (haproxy === undefined) await startBalancer(targets, { port })
  else track(await startHaproxy(haproxy, folder, port, targets))
  console.log(guide(port, haproxy === undefined ? "a balancer of this script" : "HAProxy", redis, nodes))
})
  .catch((/** @type {unknown} */ error) => {
    console.error(error)
    process.exitCode = 1
  })
  .finally(() => {
    if (process.exitCode === 1) void end(1)
  })

/**
 * @param {number} port
 * @param {string} balancer
 * @param {Kept} redis
 * @param {readonly Kept[]} nodes
 */
function guide(port, balancer, redis, nodes) {
  const rows = [...nodes, redis].map(
    ({ name, port, child }) =>
      `  ${name.padEnd(10)}  localhost:${port}   pid ${child.pid}   kill -9 ${child.pid}`,
  )
  return `
  playground  http://localhost:${port}   through ${balancer}, which asks /readyz
${rows.join("\n")}

Open the playground in two tabs: the top of the page says which node serves each. Then, in another terminal:
  kill -9 PID     a node crashes: its tabs are at another one in a moment, and nothing is missing
  kill PID        it drains: its tabs change over without a pause
  kill -STOP PID  it hangs; kill -CONT PID lets it go on. Try it with Redis
What has ended is started again after ${RESTART_AFTER_MS / 1000} seconds. Ctrl-C ends everything.
`
}

/**
 * Starts it, and starts it again whenever it has ended.
 * @param {string} name
 * @param {number} port
 * @param {() => Promise<import("node:child_process").ChildProcess>} start
 * @returns {Promise<Kept>}
 */
async function keep(name, port, start) {
  const kept = { name, port, child: await start() }
  const startAgain = async () => {
    if (isEnding) return
    try {
      kept.child = await start()
      console.log(`${name} is back: pid ${kept.child.pid}`)
      watch()
    } catch (error) {
      console.error(error instanceof Error ? error.message : error)
      setTimeout(startAgain, RESTART_AFTER_MS)
    }
  }
  const watch = () => {
    kept.child.once("exit", (code, signal) => {
      if (isEnding) return
      console.log(`${name} (pid ${kept.child.pid}) has ended with ${signal ?? code}.`)
      setTimeout(startAgain, RESTART_AFTER_MS)
    })
  }
  watch()
  return kept
}

/**
 * @param {string} name
 * @param {number} port
 * @param {string} redisUrl
 */
function startNode(name, port, redisUrl) {
  // it ends when we do, whatever ends us
  const followParent = ["--import", new URL("follow-parent.mjs", import.meta.url).href]
  const args = [...followParent, "--enable-source-maps", SERVER, "--redis", redisUrl, "--node", name]
  return launch(process.execPath, args, /Ctrl-C ends it/, {
    ...process.env,
    HOST: "127.0.0.1",
    PORT: `${port}`,
  })
}

/**
 * @param {string} program
 * @param {string} folder
 * @param {number} port
 */
async function startRedis(program, folder, port) {
  const place = ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder]
  // what it has acknowledged survives even its own death
  const keeping = ["--appendonly", "yes", "--appendfsync", "always", "--save", ""]
  redisProcess = await launch(program, [...place, ...keeping], /Ready to accept connections/, process.env)
  return redisProcess
}

/**
 * Starts a program; resolves when it has said that it is ready.
 * @param {string} program
 * @param {readonly string[]} args
 * @param {RegExp} ready
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<import("node:child_process").ChildProcess>}
 */
function launch(program, args, ready, env) {
  // a group of its own: Ctrl-C comes to us, and we end them in good order
  const child = spawn(program, args, { cwd: root, env, detached: true, stdio: ["ignore", "pipe", "inherit"] })
  track(child)
  return new Promise((resolve, reject) => {
    /** @type {string[]} */
    const said = []
    createInterface({ input: child.stdout }).on("line", (line) => {
      said.push(line)
      if (ready.test(line)) resolve(child)
      if (said.length > 100) said.shift()
    })
    child.once("error", reject)
    child.once("exit", (code) => {
      reject(new Failure(`${program} has ended with ${code}:\n${said.join("\n")}`))
    })
  })
}

/** Ctrl-C comes to us from the terminal, and once more from npm. Another one ends everything at once. */
function handleSignal() {
  const isEcho = performance.now() - signalledMs < SAME_KEYSTROKE_MS
  signalledMs = performance.now()
  if (!isEnding) void end(0)
  else if (!isEcho) for (const child of children) child.kill("SIGKILL")
}

/**
 * The nodes first, for they have something left to say to Redis.
 * @param {number} code
 */
async function end(code) {
  isEnding = true
  console.log("Ending the nodes and Redis.")
  await Promise.all([...children].filter((child) => child !== redisProcess).map(ended))
  await Promise.all([...children].map(ended))
  await cleanUp()
  process.exit(code)
}

/**
 * @param {import("node:child_process").ChildProcess} child
 */
function ended(child) {
  return new Promise((resolve) => {
    child.once("exit", resolve)
    child.kill("SIGTERM")
    // one that was stopped takes no notice of anything until it goes on
    child.kill("SIGCONT")
  })
}

/** @param {import("node:child_process").ChildProcess} child */
function track(child) {
  children.add(child)
  child.once("exit", () => children.delete(child))
}

/**
 * @param {number} [wanted] any, unless it is given
 * @returns {Promise<number>}
 */
function freePort(wanted = 0) {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(wanted, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
}
