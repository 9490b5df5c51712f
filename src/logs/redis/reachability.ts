import type { HoldfastError } from "../../protocol/error.ts"

export type ReachabilityListener = (failure: HoldfastError | undefined) => void

/** Whether Redis can be reached, and who wants to know. */
export class Reachability {
  readonly #listeners = new Set<ReachabilityListener>()
  #failure: HoldfastError | undefined

  /** `failure`: why it cannot be, until something else is known. */
  constructor(failure: HoldfastError) {
    this.#failure = failure
  }

  /** Tells `listener` at once, and with every change. Returns how to stop. */
  watch(listener: ReachabilityListener): () => void {
    // a function may be given twice
    const own: ReachabilityListener = (failure) => listener(failure)
    this.#listeners.add(own)
    own(this.#failure)
    return () => void this.#listeners.delete(own)
  }

  set(failure: HoldfastError | undefined): void {
    if (this.#failure === failure) return
    this.#failure = failure
    for (const listener of this.#listeners) listener(failure)
  }
}
