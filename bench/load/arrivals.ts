import type { Delivered } from "../process/commands.ts"
import { cpuUs, nowUs } from "../process/now.ts"

/** A chunk that brought messages: who got it, how many messages, and when, in µs since the count began. */
const FIELDS = 3

/** Counts what a crowd of subscribers receives. Every chunk costs three stores; all arithmetic waits until the end. */
export class Arrivals {
  readonly #counts: Uint32Array
  readonly #turnDeliveries: number
  readonly #handleTurn: () => void
  readonly #startUs = nowUs()
  readonly #startCpuUs = cpuUs()
  #records = new Uint32Array(FIELDS * 65_536)
  #used = 0
  #delivered = 0
  #turnEnd: number

  /** @param handleTurn called each time that every subscriber has received so many messages more. */
  constructor(subscribers: number, messagesPerTurn: number, handleTurn: () => void) {
    this.#counts = new Uint32Array(subscribers)
    this.#turnDeliveries = subscribers * messagesPerTurn
    this.#turnEnd = this.#turnDeliveries
    this.#handleTurn = handleTurn
  }

  add(subscriber: number, messages: number): void {
    if (this.#used === this.#records.length) this.#grow()
    this.#records[this.#used++] = subscriber
    this.#records[this.#used++] = messages
    this.#records[this.#used++] = nowUs() - this.#startUs
    this.#counts[subscriber] = (this.#counts[subscriber] ?? 0) + messages
    this.#delivered += messages
    // a chunk may end several turns
    while (this.#delivered >= this.#turnEnd) {
      this.#turnEnd += this.#turnDeliveries
      this.#handleTurn()
    }
  }

  /** @param publishedUs when each message was published: all subscribers receive them in this order. */
  summary(publishedUs: Float64Array): Delivered {
    const usedCpuUs = cpuUs() - this.#startCpuUs
    const latenciesMs = this.#latenciesMs(publishedUs).sort()
    const percentile = (share: number) => latenciesMs[Math.floor(share * (latenciesMs.length - 1))] ?? 0
    return {
      total: this.#delivered,
      fewest: Math.min(...this.#counts),
      most: Math.max(...this.#counts),
      latencyMs: { p50: percentile(0.5), p99: percentile(0.99) },
      cpuUs: usedCpuUs,
    }
  }

  #latenciesMs(publishedUs: Float64Array): Float32Array {
    const latenciesMs = new Float32Array(this.#delivered)
    const next = new Uint32Array(this.#counts.length)
    let filled = 0
    for (let at = 0; at < this.#used; at += FIELDS) {
      const [subscriber = 0, messages = 0, atUs = 0] = this.#records.subarray(at, at + FIELDS)
      for (let i = 0; i < messages; i++) {
        const message = next[subscriber] ?? 0
        next[subscriber] = message + 1
        latenciesMs[filled++] = (this.#startUs + atUs - (publishedUs[message] ?? Number.NaN)) / 1e3
      }
    }
    return latenciesMs
  }

  #grow(): void {
    const larger = new Uint32Array(this.#records.length * 2)
    larger.set(this.#records)
    this.#records = larger
  }
}
