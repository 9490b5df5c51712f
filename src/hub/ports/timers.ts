import type { Clock } from "./clock.ts"

/** What is to happen later, unless it is closed before. */
export class Timers {
  readonly #clock: Clock
  readonly #pending = new Set<() => void>()
  #closed = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `task` in so many ms. Returns how to cancel it. */
  after(ms: number, task: () => void): () => void {
    if (this.#closed) return () => {}
    const stop = this.#clock.after(ms, () => {
      this.#pending.delete(cancel)
      task()
    })
    const cancel = () => {
      this.#pending.delete(cancel)
      stop()
    }
    this.#pending.add(cancel)
    return cancel
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#pending) cancel()
  }
}
