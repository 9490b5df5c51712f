import type { Limits } from "../limits.ts"
import type { Logger } from "../ports/logger.ts"
import type { Timers } from "../ports/timers.ts"
import { atOnce } from "./at-once.ts"

/** How many channels are compared at once. */
const CHANNELS_AT_ONCE_MAX = 8

export interface ReconcilerPorts {
  readonly limits: Limits
  readonly logger: Logger
  readonly timers: Timers
  readonly reconcile: (channel: string) => Promise<void>
}

/** Reconciles channels with the log, some at once, until the log has answered. */
export class Reconciler {
  readonly #ports: ReconcilerPorts
  #waiting = new Set<string>()
  #running = false

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports
  }

  add(channels: readonly string[]): void {
    for (const channel of channels) this.#waiting.add(channel)
    if (!this.#running && this.#waiting.size > 0) void this.#run()
  }

  async #run(): Promise<void> {
    this.#running = true
    const failed: string[] = []
    while (this.#waiting.size > 0) {
      const channels = [...this.#waiting]
      this.#waiting = new Set()
      await atOnce(channels, CHANNELS_AT_ONCE_MAX, (channel) => this.#reconcile(channel, failed))
    }
    this.#running = false
    if (failed.length > 0) this.#ports.timers.after(this.#ports.limits.retryMs, () => this.add(failed))
  }

  async #reconcile(channel: string, failed: string[]): Promise<void> {
    try {
      await this.#ports.reconcile(channel)
    } catch (error) {
      if (failed.push(channel) > 1) return
      this.#ports.logger.error("presence could not be compared with the log, trying again", { error })
    }
  }
}
