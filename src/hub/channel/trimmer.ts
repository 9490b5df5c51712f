import type { Log } from "../../log/log.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"
import type { Retentions } from "./retention.ts"

/** Trims, now and then, the channels that are kept by age: an append trims too, but an idle channel has none. */
export class Trimmer {
  readonly #log: Log
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #logger: Logger
  /** Channels with the time when they were used last. Once everything in them has outlived its time, they are forgotten. */
  readonly #tracked = new Map<string, { retentions: Retentions; usedAt: number }>()
  #cancel: (() => void) | undefined
  #closed = false

  constructor(log: Log, clock: Clock, intervalMs: number, logger: Logger) {
    this.#log = log
    this.#clock = clock
    this.#intervalMs = intervalMs
    this.#logger = logger
  }

  /** The channel is appended to, or followed: then it may hold what an earlier life of this node appended. */
  track(channel: string, retentions: Retentions): void {
    if (this.#closed) return
    this.#tracked.set(channel, { retentions, usedAt: this.#clock.now() })
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
      const { retentions, usedAt } = tracked
      try {
        await this.#log.trim(channel, retentions, now)
        const isOver = usedAt + longestMs(retentions) < now
        // it may have been used again meanwhile
        if (isOver && this.#tracked.get(channel) === tracked) this.#tracked.delete(channel)
      } catch (error) {
        this.#logger.error(`the log of ${channel} could not be trimmed, trying again later`, { error })
      }
    }
    if (this.#tracked.size > 0) this.#cancel ??= this.#schedule()
  }
}

/** The longest time after which something in the channel outlives its time; what has no such limit stays without being trimmed. */
function longestMs(retentions: Retentions): number {
  const times = Object.values(retentions).flatMap(({ forMs, removalsForMs }) => [forMs, removalsForMs])
  return Math.max(0, ...times.filter(Number.isFinite))
}
