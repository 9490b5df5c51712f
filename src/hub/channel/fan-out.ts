import type { Clock } from "../ports/clock.ts"
import type { Channel } from "./channel.ts"
import type { Outlet } from "./outlet.ts"

/** Flushes, at the end of each turn of the event loop, the channels that have something to deliver. */
export class FanOut {
  readonly #clock: Clock
  #dirty = new Set<Channel>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  mark(channel: Channel): void {
    if (this.#dirty.size === 0) this.#clock.soon(() => this.#flush())
    this.#dirty.add(channel)
  }

  #flush(): void {
    const dirty = this.#dirty
    this.#dirty = new Set()
    if (dirty.size === 1) {
      for (const channel of dirty) channel.flush()
      return
    }
    const corked: Outlet[] = []
    const cork = (outlet: Outlet) => {
      if (outlet.corked) return
      outlet.corked = true
      outlet.link.cork()
      corked.push(outlet)
    }
    for (const channel of dirty) channel.flush(cork)
    for (const outlet of corked) {
      outlet.corked = false
      outlet.link.uncork()
    }
  }
}
