import cluster, { type Worker } from "node:cluster"
import type { Logger } from "../../hub/ports/logger.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import { consoleLogger } from "../logger.ts"

/** A worker that has ended is started again after this long, doubled with each that ends soon, in ms. */
const BACKOFF_MS = { min: 200, max: 10_000 } as const
/** Who has lived so long has not ended soon. */
const STABLE_MS = 10_000

/** Tells a worker's process that it is one of several. */
const COUNT_VARIABLE = "HOLDFAST_WORKERS"

export interface WorkersOptions {
  readonly logger?: Logger | undefined
}

/**
 * Runs `start` in `count` processes that share their listening ports (node:cluster), so that a server uses more than one core.
 * `start` makes a hub on a log that they share, and listens; it should also call `drainOnSignals`. With a count of 1 it
 * runs in this process, and nothing else happens.
 *
 * A worker that dies is started again. SIGTERM and SIGINT go to all workers; when all have ended, so does this process:
 * with 0 if they all did. If one cannot even start, everything ends with 1, and its error is on standard error.
 *
 * Resolves in a worker when `start` has; in the process that leads them, when all have started for the first time.
 */
export async function workers(
  count: number,
  start: () => unknown,
  { logger = consoleLogger }: WorkersOptions = {},
): Promise<void> {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new TypeError(`workers: the count is ${count}, and has to be a whole number from 1`)
  }
  if (count === 1) await start()
  else if (cluster.isPrimary) await new Leader(count, logger).run()
  else {
    await start()
    process.send?.(STARTED)
  }
}

/** How many workers share this process's ports; 1 when it is alone. */
export function workerCount(): number {
  return cluster.isWorker ? Number(process.env[COUNT_VARIABLE] ?? 1) : 1
}

/** @throws HoldfastError `log_not_shared` when several workers would each have a log of their own */
export function checkShared(log: { readonly shared?: boolean }): void {
  if (workerCount() > 1 && log.shared !== true) {
    throw new HoldfastError("log_not_shared", errorCodes.log_not_shared)
  }
}

const STARTED = "holdfast:started"

/** Starts the workers, and starts again those that die. */
class Leader {
  readonly #count: number
  readonly #logger: Logger
  readonly #starting = new Set<Worker>()
  readonly #restarts = new Set<NodeJS.Timeout>()
  #delayMs: number = BACKOFF_MS.min
  #allStarted = false
  #isEnding = false
  #exitCode = 0

  constructor(count: number, logger: Logger) {
    this.#count = count
    this.#logger = logger
  }

  run(): Promise<void> {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => this.#end(signal))
    return new Promise((resolve) => {
      const handleStarted = (worker: Worker) => {
        this.#starting.delete(worker)
        if (this.#allStarted || this.#starting.size > 0) return
        this.#allStarted = true
        resolve()
      }
      for (let index = 0; index < this.#count; index++) this.#fork(handleStarted)
    })
  }

  #fork(handleStarted: (worker: Worker) => void): void {
    const startedMs = performance.now()
    const worker = cluster.fork({ [COUNT_VARIABLE]: `${this.#count}` })
    this.#starting.add(worker)
    worker.on("message", (message) => {
      if (message === STARTED) handleStarted(worker)
    })
    worker.on("exit", (code, signal) => {
      const hadStarted = !this.#starting.delete(worker)
      if (this.#isEnding) {
        this.#endIfAlone(code)
        return
      }
      this.#logger.error("a worker has ended", { pid: worker.process.pid, code, signal })
      // what fails from the beginning would fail again, and somebody waits at the terminal
      if (!this.#allStarted && !hadStarted) return this.#giveUp()
      if (performance.now() - startedMs > STABLE_MS) this.#delayMs = BACKOFF_MS.min
      const restart = setTimeout(() => {
        this.#restarts.delete(restart)
        this.#fork(handleStarted)
      }, this.#delayMs)
      this.#restarts.add(restart)
      this.#delayMs = Math.min(2 * this.#delayMs, BACKOFF_MS.max)
    })
  }

  #giveUp(): void {
    this.#exitCode = 1
    this.#end("SIGTERM")
  }

  #end(signal: NodeJS.Signals): void {
    this.#isEnding = true
    for (const restart of this.#restarts) clearTimeout(restart)
    this.#restarts.clear()
    // a second signal is passed on as well: it is for them to know what it means
    for (const worker of Object.values(cluster.workers ?? {})) worker?.process.kill(signal)
    this.#endIfAlone(0)
  }

  #endIfAlone(code: number): void {
    if (code !== 0) this.#exitCode = 1
    if (Object.values(cluster.workers ?? {}).every((worker) => worker?.isDead() !== false)) {
      process.exit(this.#exitCode)
    }
  }
}
