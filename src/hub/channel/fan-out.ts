import type { Clock } from "../ports/clock.ts"
import type { Channel } from "./channel.ts"
import type { Outlet } from "./outlet.ts"

/**
 * Flushes, at the end of each turn of the event loop, the channels that have something to deliver. What one connection is sent
 * in a turn, answers and entries, becomes one write.
 */
export class FanOut {
  readonly #clock: Clock
  #dirty = new Set<Channel>()
  #corked: Outlet[] = []
  #scheduled = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  mark(channel: Channel): void {
    this.#dirty.add(channel)
    this.#schedule()
  }

  /** Gathers what is written to the outlet until the end of this turn. */
  cork(outlet: Outlet): void {
    if (outlet.corked) return
    outlet.corked = true
    outlet.link.cork()
    this.#corked.push(outlet)
    this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.soon(() => this.#endTurn())
  }

  #endTurn(): void {
    try {
      this.#flush()
    } finally {
      this.#scheduled = false
      this.#uncork()
    }
  }

  #flush(): void {
    const dirty = this.#dirty
    if (dirty.size === 0) return
    this.#dirty = new Set()
    // one channel writes once to each subscriber anyway
    const cork = dirty.size === 1 ? undefined : (outlet: Outlet) => this.cork(outlet)
    for (const channel of dirty) channel.flush(cork)
  }

  #uncork(): void {
    const corked = this.#corked
    this.#corked = []
    for (const outlet of corked) {
      outlet.corked = false
      outlet.link.uncork()
    }
  }
}
