import { HoldfastError } from "../../protocol/error.ts"
import { nextTurn } from "./step-by-step.ts"

/** Something to be done within a transaction, and what settles when it is committed. */
interface Job extends Work {
  readonly resolve: (value: never) => void
  readonly reject: (error: unknown) => void
}

interface Work {
  /** Does it, within a transaction. */
  readonly run: () => unknown
  /** Jobs with the same one are done in the order in which they came. */
  readonly queue?: string
  /** What has to come first, in turns of its own; undefined when there is nothing. Is called within a transaction. */
  readonly prepare?: () => Promise<void> | undefined
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
  /** Everything is kept: notifies watchers. */
  readonly tell: () => void
  /** Whether another transaction has work of its own, also without jobs. */
  readonly isDue: () => boolean
}

/**
 * Group commit. Jobs that come in one turn of the event loop, and while another transaction is being kept, are done in
 * one transaction, in the order in which they came. A job that has to be prepared waits, and with it the later ones of its queue.
 * A job that throws a HoldfastError has to do so before it has changed anything that must not stay: that is its own
 * failure; anything else is the transaction's.
 */
export class Writer {
  readonly #ports: WriterPorts
  readonly #jobsMax: number
  #jobs: Job[] = []
  /** Jobs that wait until the first one of their queue is prepared. */
  readonly #waiting = new Map<string, Job[]>()
  #waitingCount = 0
  #running: Promise<void> | undefined
  /** While a transaction is committed but not kept. */
  #keeping: Promise<void> | undefined
  #listeners: (() => void)[] = []

  constructor(ports: WriterPorts, jobsMax: number) {
    this.#ports = ports
    this.#jobsMax = jobsMax
  }

  do<Result>(work: Work & { readonly run: () => Result }): Promise<Result> {
    if (this.#jobs.length + this.#waitingCount >= this.#jobsMax) {
      const limit = this.#jobsMax
      return Promise.reject(
        new HoldfastError("log_unavailable", "As many appends wait as may wait. Nothing was published.", {
          limit,
        }),
      )
    }
    return new Promise<Result>((resolve, reject) => {
      this.#jobs.push({ ...work, resolve, reject })
      this.start()
    })
  }

  /** Carries out what is due. */
  start(): void {
    this.#running ??= this.#run()
  }

  /** Resolves when nothing is committed that is not kept. To be awaited until it is undefined, before reading. */
  get keeping(): Promise<void> | undefined {
    return this.#keeping
  }

  /** Resolves behind the next transaction; undefined when none is due. */
  get nextTransaction(): Promise<void> | undefined {
    if (this.#running === undefined) return undefined
    return new Promise((resolve) => this.#listeners.push(resolve))
  }

  /** Resolves when all jobs are done. */
  async idle(): Promise<void> {
    while (this.#running !== undefined || this.#waitingCount > 0) await (this.#running ?? nextTurn())
  }

  async #run(): Promise<void> {
    while (this.#jobs.length > 0 || this.#ports.isDue()) {
      await nextTurn()
      const isKept = await this.#runTransaction(this.#jobs.splice(0, JOBS_PER_TRANSACTION_MAX))
      for (const listener of this.#listeners.splice(0)) listener()
      // without jobs nothing shows when it can succeed; the next append tries again
      if (!isKept && this.#jobs.length === 0) break
    }
    this.#running = undefined
    for (const listener of this.#listeners.splice(0)) listener()
  }

  async #runTransaction(jobs: Job[]): Promise<boolean> {
    const done: Job[] = []
    const outcomes: unknown[] = []
    try {
      this.#ports.transact(() => {
        while (jobs.length > 0 && outcomes.length / JOBS_PER_TRANSACTION_MAX + this.#ports.effort() < 1) {
          const job = jobs.shift() as Job
          if (this.#isWaiting(job)) continue
          done.push(job)
          outcomes.push(outcomeOf(job.run))
        }
      })
    } catch (error) {
      for (const { reject } of [...done, ...jobs]) reject(error)
      return false
    }
    if (jobs.length > 0) this.#jobs = [...jobs, ...this.#jobs]
    return await this.#settle(done, outcomes)
  }

  /** Whether a job, or an earlier one of its queue, has to be prepared first. */
  #isWaiting(job: Job): boolean {
    const { queue, prepare } = job
    if (queue === undefined) return false
    const earlier = this.#waiting.get(queue)
    if (earlier === undefined) {
      const prepared = prepare?.()
      if (prepared === undefined) return false
      this.#waiting.set(queue, [job])
      void this.#resume(queue, prepared)
    } else earlier.push(job)
    this.#waitingCount++
    return true
  }

  async #resume(queue: string, prepared: Promise<void>): Promise<void> {
    const failure = await prepared.then(
      () => undefined,
      (error: unknown) => ({ error }),
    )
    const jobs = this.#waiting.get(queue) ?? []
    this.#waiting.delete(queue)
    this.#waitingCount -= jobs.length
    if (failure !== undefined) for (const { reject } of jobs) reject(failure.error)
    else {
      this.#jobs = [...jobs, ...this.#jobs]
      this.start()
    }
  }

  async #settle(jobs: readonly Job[], outcomes: readonly unknown[]): Promise<boolean> {
    try {
      this.#keeping = this.#ports.keep()
      if (this.#keeping !== undefined) await this.#keeping
    } catch (error) {
      for (const { reject } of jobs) reject(error)
      return false
    } finally {
      this.#keeping = undefined
    }
    this.#ports.tell()
    for (const [index, { resolve, reject }] of jobs.entries()) {
      const outcome = outcomes[index]
      if (outcome instanceof Refusal) reject(outcome.error)
      else resolve(outcome as never)
    }
    return true
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
