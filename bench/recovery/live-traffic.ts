import type { Message } from "../contestants/contestant.ts"
import { messageOf } from "../contestants/message.ts"
import { nowUs } from "../process/now.ts"

/** How far apart messages are published. */
export const LIVE_INTERVAL_US = 2_000

/**
 * Publishes at a steady pace. A message counts from when it was due, also when the event loop was busy and it was
 * published late: otherwise a server that stands still would publish nothing meanwhile, and look quick.
 */
export class LiveTraffic {
  readonly #publish: (message: Message) => Promise<unknown>
  #timer: NodeJS.Timeout | undefined
  #dueUs: number[] = []
  #published = 0
  #delivered = 0
  #handleAllDelivered: () => void = () => undefined

  constructor(publish: (message: Message) => Promise<unknown>) {
    this.#publish = publish
  }

  start(): void {
    this.#dueUs = []
    this.#tick(nowUs() + LIVE_INTERVAL_US)
  }

  /** So many messages more have reached all who listen. */
  handleDelivered(count: number): void {
    this.#delivered += count
    if (this.#delivered === this.#published) this.#handleAllDelivered()
  }

  /** Resolves with when each message was due, once all were delivered. */
  async stop(): Promise<Float64Array> {
    clearTimeout(this.#timer)
    const dueUs = Float64Array.from(this.#dueUs)
    this.#dueUs = []
    await new Promise<void>((resolve) => {
      this.#handleAllDelivered = resolve
      if (this.#delivered === this.#published) resolve()
    })
    return dueUs
  }

  #tick(firstDueUs: number): void {
    let dueUs = firstDueUs
    for (const untilUs = nowUs(); dueUs <= untilUs; dueUs += LIVE_INTERVAL_US) {
      this.#dueUs.push(dueUs)
      // A rejection that nobody handles ends the process, and with it the run.
      void this.#publish(messageOf(this.#published++))
    }
    this.#timer = setTimeout(() => this.#tick(dueUs), (dueUs - nowUs()) / 1e3)
  }
}
