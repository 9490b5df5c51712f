import type { HoldfastError } from "../../protocol/error.ts"

export type ReachabilityListener = (failure: HoldfastError | undefined) => void

/** Whether Redis can be reached, and the listeners that want to know. */
export class Reachability {
  readonly #listeners = new Set<ReachabilityListener>()
  #failure: HoldfastError | undefined

  /** `failure`: why it cannot be, until something else is known. */
  constructor(failure: HoldfastError) {
    this.#failure = failure
  }

  /** Calls `listener` at once, and with every change. Returns how to stop. */
  watch(listener: ReachabilityListener): () => void {
    // a function may be given twice
    const own: ReachabilityListener = (failure) => listener(failure)
    this.#listeners.add(own)
    own(this.#failure)
    return () => void this.#listeners.delete(own)
  }

  set(failure: HoldfastError | undefined): void {
    if (this.#failure !== failure) this.#announce(failure)
  }

  /** There was an interruption that was not reported. */
  resume(): void {
    if (this.#failure === undefined) this.#announce(undefined)
  }

  #announce(failure: HoldfastError | undefined): void {
    this.#failure = failure
    for (const listener of [...this.#listeners]) listener(failure)
  }
}
