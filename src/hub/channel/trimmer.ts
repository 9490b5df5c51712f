import type { Log, LogKeep } from "../../log/log.ts"
import type { Logger } from "../options.ts"
import type { Clock } from "../ports/clock.ts"

/** Trims, now and then, the channels that are kept by age: an append trims too, but an idle channel has none. */
export class Trimmer {
  readonly #log: Log
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #logger: Logger
  /** Channels with the time when they were used last. Once everything in them has outlived its time, they are forgotten. */
  readonly #tracked = new Map<string, { keep: Required<LogKeep>; usedAt: number }>()
  #cancel: (() => void) | undefined
  #closed = false

  constructor(log: Log, clock: Clock, intervalMs: number, logger: Logger) {
    this.#log = log
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#logger = logger
  }

  /** The channel is appended to, or followed: then it may hold what an earlier life of this node appended. */
  track(channel: string, keep: Required<LogKeep>): void {
    if (this.#closed || !Number.isFinite(keep.forMs)) return
    this.#tracked.set(channel, { keep, usedAt: this.#clock.now() })
    this.#cancel ??= this.#schedule()
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#tracked.clear()
  }

  #schedule(): () => void {
    return this.#clock.after(this.#intervalMs, () => {
      this.#cancel = undefined
      void this.#trim()
    })
  }

  async #trim(): Promise<void> {
    const now = this.#clock.now()
    for (const [channel, tracked] of this.#tracked) {
      const { keep, usedAt } = tracked
      try {
        await this.#log.trim(channel, keep, now)
        const isOver = usedAt + keep.forMs < now
        // it may have been used again meanwhile
        if (isOver && this.#tracked.get(channel) === tracked) this.#tracked.delete(channel)
      } catch (error) {
        this.#logger.error(`the log of ${channel} could not be trimmed, trying again later`, { error })
      }
    }
    if (this.#tracked.size > 0) this.#cancel ??= this.#schedule()
  }
}
