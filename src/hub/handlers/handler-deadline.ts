import { HoldfastError } from "../../protocol/error.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"
import type { Eventual } from "../publish/eventual.ts"

/** One run of a handler of the application. */
export interface HandlerRun {
  /** Its client was told that it took too long: nothing of it may be appended any more. */
  isLate: boolean
}

export interface HandlerDeadlinePorts {
  readonly clock: Clock
  readonly limits: Limits
  readonly logger: Logger
}

/** How long the application's handlers may take. What is there in the same turn costs no timer. */
export class HandlerDeadline {
  readonly #ports: HandlerDeadlinePorts

  constructor(ports: HandlerDeadlinePorts) {
    this.#ports = ports
  }

  /**
   * The outcome of `task`. `what` begins the sentences.
   * @throws HoldfastError `handler_timeout`, also later than `handlerTimeoutMs`; what `task` throws before
   */
  run<T>(what: string, task: (run: HandlerRun) => Eventual<T>): Eventual<T> {
    const run: HandlerRun = { isLate: false }
    const running = task(run)
    return running instanceof Promise ? this.#wait(what, run, running) : running
  }

  async #wait<T>(what: string, run: HandlerRun, running: Promise<T>): Promise<T> {
    const { clock, limits, logger } = this.#ports
    const { handlerTimeoutMs: ms } = limits
    const handleLate = () => {
      run.isLate = true
      logger.error(`${what}: the handler has not finished within ${ms} ms`, { handlerTimeoutMs: ms })
      return new HoldfastError("handler_timeout", `${what}: the server's handler took longer than ${ms} ms`)
    }
    return within(clock, ms, running, handleLate)
  }
}

/** What `work` comes to within `ms`. @throws what `handleLate` returns, and what `work` throws before */
export async function within<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  handleLate: () => HoldfastError,
): Promise<T> {
  let cancel = () => {}
  const deadline = new Promise<never>((_, reject) => {
    cancel = clock.after(ms, () => reject(handleLate()))
  })
  try {
    return await Promise.race([work, deadline])
  } finally {
    cancel()
  }
}

/** @throws HoldfastError `handler_timeout` when the run is late */
export function checkInTime({ isLate }: HandlerRun): void {
  if (isLate) throw new HoldfastError("handler_timeout", "the handler took longer than it may")
}
