import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import type { Job } from "./job.ts"
import type { Outcome } from "./run.ts"

/** Several processes that run seeds. */
export interface Pool {
  /** Waits for a free process. What goes wrong with the run is in its outcome. */
  readonly run: (job: Job) => Promise<Outcome>
  readonly close: () => void
}

interface Waiting {
  readonly job: Job
  readonly resolve: (outcome: Outcome) => void
}

/** A run takes a tenth of a second. One that is not done by then never will be: something goes round in virtual time. */
const RUN_MS_MAX = 120_000

export function openPool(jobs: number): Pool {
  const waiting: Waiting[] = []
  const idle: ChildProcess[] = []
  const all = new Set<ChildProcess>()
  let closed = false

  const start = (): ChildProcess => {
    const child = fork(fileURLToPath(new URL("worker.ts", import.meta.url)), {
      execArgv: ["--import", "tsx"],
    })
    all.add(child)
    child.once("exit", () => all.delete(child))
    return child
  }
  const next = () => {
    if (waiting.length === 0 || (idle.length === 0 && all.size >= jobs)) return
    perform(idle.pop() ?? start(), waiting.shift() as Waiting)
  }
  const perform = (child: ChildProcess, { job, resolve }: Waiting) => {
    const end = (outcome: Outcome) => {
      clearTimeout(timer)
      child.removeAllListeners("message")
      child.removeListener("exit", handleExit)
      resolve(outcome)
    }
    const fail = (what: string) => end({ seed: job.seed, hash: "", violations: [what], counts: {} })
    const handleExit = (code: number | null, signal: string | null) => {
      if (!closed) fail(`defect: its process ended with ${code ?? signal}`)
      next()
    }
    const timer = setTimeout(() => {
      fail(`defect: it was not done after ${RUN_MS_MAX / 1_000} s`)
      child.once("exit", next)
      child.kill("SIGKILL")
    }, RUN_MS_MAX)
    child.once("message", (outcome: Outcome) => {
      end(outcome)
      idle.push(child)
      next()
    })
    child.once("exit", handleExit)
    child.send(job)
  }
  return {
    run: (job) =>
      new Promise((resolve) => {
        waiting.push({ job, resolve })
        next()
      }),
    close: () => {
      closed = true
      for (const child of all) if (child.connected) child.disconnect()
    },
  }
}
