import type { Batch, Log, Seeded, VirtualClock } from "holdfast/testing"
import type { Tally } from "./tally.ts"
import type { Way } from "./way.ts"

export interface WatchingPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly tally: Tally
  readonly way: Way
  /** How likely it is that a notification is lost. */
  readonly holes: () => number
}

/** One node's watch of one channel, over a way on which notifications are lost. */
export class Watching {
  readonly #channel: string
  readonly #listener: (batch: Batch) => void
  readonly #ports: WatchingPorts
  readonly #lane: string
  #log: Log | undefined
  #unwatch = () => {}
  #noticing = false

  constructor(channel: string, listener: (batch: Batch) => void, ports: WatchingPorts) {
    this.#channel = channel
    this.#listener = listener
    this.#ports = ports
    this.#lane = `watch ${ports.random.uniqueId()}`
  }

  /** Is told by this log from now on. */
  async follow(log: Log): Promise<void> {
    this.#unwatch()
    this.#log = log
    const unwatch = await log.watch(this.#channel, (batch) => {
      if (this.#log === log) this.#tell(batch)
    })
    if (this.#log === log) this.#unwatch = unwatch
    else unwatch()
  }

  /** Says, some time later, where the log stands, so that the node finds out what it has missed. */
  notice(): void {
    if (this.#noticing) return
    this.#noticing = true
    const { clock, random, way } = this.#ports
    clock.after(random.between(50, 1_000), async () => {
      this.#noticing = false
      if (!way.isReachable || this.#log === undefined) return
      const { epoch, top } = await this.#log.head(this.#channel)
      way.later(this.#lane, () => this.#listener({ epoch, after: top, entries: [] }))
    })
  }

  stop(): void {
    this.#log = undefined
    this.#unwatch()
  }

  #tell(batch: Batch): void {
    const { random, tally, way, holes } = this.#ports
    if (way.isReachable && !random.chance(holes())) {
      way.later(this.#lane, () => this.#listener(batch))
      return
    }
    tally.add("notifications lost")
    this.notice()
  }
}
