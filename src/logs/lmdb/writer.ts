import { HoldfastError } from "../../protocol/error.ts"

/** Something to be done within a transaction, and whom to tell when it is committed. */
interface Job {
  readonly work: () => unknown
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

/** How many jobs one transaction does at most: longer ones would keep the event loop from its other work. */
const JOBS_PER_TRANSACTION_MAX = 1_000

/** What the writer needs of the log. */
export interface WriterPorts {
  /** Does the work in one transaction. What it throws has undone everything. */
  readonly transact: (work: () => void) => void
  /** What the work so far costs beside the number of jobs, as a share of what one transaction may cost. */
  readonly effort: () => number
  /** After a transaction: resolves when it is kept as it has to be kept, or is undefined when it is. */
  readonly keep: () => Promise<void> | undefined
  /** Everything is kept: tells watchers. */
  readonly tell: () => void
}

/**
 * Group commit. Jobs that come in one turn of the event loop, and while another transaction is being kept, are done in
 * one transaction, in the order in which they came. A job that throws a HoldfastError has to do so before it has changed
 * anything: that is its own failure; anything else is the transaction's.
 */
export class Writer {
  readonly #ports: WriterPorts
  readonly #jobsMax: number
  #jobs: Job[] = []
  #running: Promise<void> | undefined
  /** While a transaction is committed but not kept. */
  #keeping: Promise<void> | undefined

  constructor(ports: WriterPorts, jobsMax: number) {
    this.#ports = ports
    this.#jobsMax = jobsMax
  }

  do<Result>(work: () => Result): Promise<Result> {
    if (this.#jobs.length >= this.#jobsMax) {
      const limit = this.#jobsMax
      return Promise.reject(
        new HoldfastError("log_unavailable", "As many appends wait as may wait. Nothing was published.", {
          limit,
        }),
      )
    }
    return new Promise<Result>((resolve, reject) => {
      this.#jobs.push({ work, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when nothing is committed that is not kept. To be awaited until it is undefined, before reading. */
  get keeping(): Promise<void> | undefined {
    return this.#keeping
  }

  /** Resolves when all jobs are done. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0) {
      await endOfTurn()
      const jobs = this.#jobs.splice(0, JOBS_PER_TRANSACTION_MAX)
      const outcomes = this.#commit(jobs)
      if (outcomes === undefined) continue
      if (outcomes.length < jobs.length) this.#jobs.unshift(...jobs.splice(outcomes.length))
      await this.#settle(jobs, outcomes)
    }
    this.#running = undefined
  }

  #commit(jobs: readonly Job[]): unknown[] | undefined {
    const outcomes: unknown[] = []
    try {
      this.#ports.transact(() => {
        for (const { work } of jobs) {
          outcomes.push(outcomeOf(work))
          if (outcomes.length / JOBS_PER_TRANSACTION_MAX + this.#ports.effort() >= 1) return
        }
      })
      return outcomes
    } catch (error) {
      for (const { reject } of jobs) reject(error)
      return undefined
    }
  }

  async #settle(jobs: readonly Job[], outcomes: readonly unknown[]): Promise<void> {
    try {
      this.#keeping = this.#ports.keep()
      if (this.#keeping !== undefined) await this.#keeping
    } catch (error) {
      for (const { reject } of jobs) reject(error)
      return
    } finally {
      this.#keeping = undefined
    }
    this.#ports.tell()
    for (const [index, { resolve, reject }] of jobs.entries()) {
      const outcome = outcomes[index]
      if (outcome instanceof Refusal) reject(outcome.error)
      else resolve(outcome as never)
    }
  }
}

/** What a job has thrown: it has changed nothing. */
class Refusal {
  readonly error: unknown

  constructor(error: unknown) {
    this.error = error
  }
}

function outcomeOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    if (error instanceof HoldfastError || error instanceof TypeError) return new Refusal(error)
    throw error
  }
}

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
