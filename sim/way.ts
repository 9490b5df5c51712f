import { HoldfastError } from "holdfast/client"
import type { Seeded, VirtualClock } from "holdfast/testing"
import type { Tally } from "./tally.ts"

interface WayPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly tally: Tally
  readonly latencyMs: () => number
}

/** How long a node waits before it takes the log for unreachable, in ms. */
const REFUSAL_MS = 200

/** The network between one node and the log: each message takes its time, and may find the way closed. */
export class Way {
  isReachable = true
  readonly #ports: WayPorts
  readonly #lastDueMs = new Map<string, number>()
  #abandoned = false
  #lost = false
  #held: (() => void)[] = []

  constructor(ports: WayPorts) {
    this.#ports = ports
  }

  /** Runs `task` after a delay, behind what went before in `lane`. */
  later(lane: string | undefined, task: () => void): void {
    const { clock, latencyMs } = this.#ports
    const now = clock.monotonic()
    let dueMs = now + latencyMs()
    if (lane !== undefined) {
      dueMs = Math.max(dueMs, this.#lastDueMs.get(lane) ?? 0)
      this.#lastDueMs.set(lane, dueMs)
    }
    clock.after(dueMs - now, task)
  }

  /** Has `work` done at the other end. */
  ask<T>(lane: string | undefined, work: () => Promise<T>, handleRefusal = () => {}): Promise<T> {
    return new Promise((resolve, reject) => {
      this.later(lane, () => {
        if (this.#isLost()) return
        if (!this.isReachable) {
          handleRefusal()
          this.#ports.clock.after(REFUSAL_MS, () => reject(new HoldfastError("log_unavailable")))
          return
        }
        work().then(
          (value) => this.#answer(() => resolve(value)),
          (error: unknown) => this.#answer(() => reject(error)),
        )
      })
    })
  }

  /** While it is closed, requests are refused, and answers wait. */
  open(): void {
    this.isReachable = true
    for (const task of this.#held) this.later(undefined, task)
    this.#held = []
  }

  /** The node is gone: what it had asked for and has not arrived may be lost. */
  abandon(): void {
    this.#abandoned = true
  }

  /** What was already on its way when the node died arrives up to some point, as over any one line. */
  #isLost(): boolean {
    this.#lost ||= this.#abandoned && this.#ports.random.chance(0.5)
    if (this.#lost) this.#ports.tally.add("requests lost with their node")
    return this.#lost
  }

  #answer(task: () => void): void {
    this.later(undefined, () => {
      if (this.isReachable) task()
      else this.#held.push(task)
    })
  }
}
