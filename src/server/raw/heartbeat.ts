import type { Clock } from "../../hub/ports/clock.ts"

interface Beating {
  readonly checkHeartbeat: () => void
}

/** One timer for all raw sockets, running while there are any. */
export class Heartbeat {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #members = new Set<Beating>()
  #stop: (() => void) | undefined

  constructor(clock: Clock, intervalMs: number) {
    this.#clock = clock
    this.#intervalMs = intervalMs
  }

  add(member: Beating): void {
    this.#members.add(member)
    if (this.#stop === undefined) this.#schedule()
  }

  delete(member: Beating): void {
    this.#members.delete(member)
    if (this.#members.size > 0) return
    this.#stop?.()
    this.#stop = undefined
  }

  #schedule(): void {
    this.#stop = this.#clock.after(this.#intervalMs, () => {
      this.#stop = undefined
      for (const member of this.#members) member.checkHeartbeat()
      if (this.#members.size > 0) this.#schedule()
    })
  }
}
