import type { Limits } from "../limits.ts"
import type { Logger } from "../ports/logger.ts"
import type { Timers } from "../ports/timers.ts"
import { atOnce, CHANNELS_AT_ONCE_MAX } from "./at-once.ts"

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
  readonly #failed = new Set<string>()
  #isRunning = false

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports
  }

  add(channels: Iterable<string>): void {
    for (const channel of channels) this.#waiting.add(channel)
    if (!this.#isRunning && this.#waiting.size > 0) void this.#run()
  }

  /** The log has failed at something in the channel: reconciles it after a while. */
  retry(channel: string, error: unknown): void {
    const { logger, timers, limits } = this.#ports
    if (this.#failed.size === 0) {
      logger.error("presence could not be told to the log, trying again", { error })
      timers.after(limits.retryMs, () => {
        const failed = [...this.#failed]
        this.#failed.clear()
        this.add(failed)
      })
    }
    this.#failed.add(channel)
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.size > 0) {
      const channels = [...this.#waiting]
      this.#waiting = new Set()
      await atOnce(channels, CHANNELS_AT_ONCE_MAX, (channel) =>
        this.#ports.reconcile(channel).catch((error: unknown) => this.retry(channel, error)),
      )
    }
    this.#isRunning = false
  }
}
