import { nowUs } from "./now.ts"

export interface Pace {
  /** How far apart turns are. */
  readonly intervalUs: number
  readonly messagesPerTurn: number
}

/**
 * Publishes turns of messages at a steady pace. A message counts from when it was due, also when the event loop was busy and
 * it was published late: otherwise a server that stands still would publish nothing meanwhile, and look quick.
 */
export class SteadyTurns {
  readonly #publishNext: () => unknown
  #pace: Pace = { intervalUs: 0, messagesPerTurn: 1 }
  #timer: NodeJS.Timeout | undefined
  #dueUs: number[] = []
  #published = 0
  #delivered = 0
  #handleAllDelivered: () => void = () => undefined

  constructor(publishNext: () => unknown) {
    this.#publishNext = publishNext
  }

  start(pace: Pace): void {
    this.#pace = pace
    this.#dueUs = []
    this.#tick(nowUs() + pace.intervalUs)
  }

  /** So many turns more have reached all who listen. */
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
    const { intervalUs, messagesPerTurn } = this.#pace
    for (const untilUs = nowUs(); dueUs <= untilUs; dueUs += intervalUs) {
      this.#published++
      for (let i = 0; i < messagesPerTurn; i++) {
        this.#dueUs.push(dueUs)
        // A rejection that nobody handles ends the process, and with it the run.
        void this.#publishNext()
      }
    }
    this.#timer = setTimeout(() => this.#tick(dueUs), (dueUs - nowUs()) / 1e3)
  }
}
