import type { Log } from "../../log/log.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"
import type { Retentions } from "./retention.ts"

/** A log may take a channel for unused that is not trimmed for longer. */
const PERIOD_MS_MAX = 10 * 60_000
/** What is too old is trimmed when it has outlived its time by this part of it. */
const DELAY_PART = 1 / 60

interface Tracked {
  readonly retentions: Retentions
  /** When the channel was appended to, or followed, last. */
  usedAt: number
  dueAt: number
}

export interface TrimmerPorts {
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  /** The shortest time between two trims of one channel. */
  readonly intervalMs: number
  readonly isFollowed: (channel: string) => boolean
}

/** Trims, now and then, the channels that are in use: an append trims too, but an idle channel has none. */
export class Trimmer {
  readonly #ports: TrimmerPorts
  /** By how long it is between two trims of them; each in the order in which they are due. */
  readonly #queues = new Map<number, Map<string, Tracked>>()
  readonly #periodsMs = new WeakMap<Retentions, number>()
  #cancel: (() => void) | undefined
  #closed = false

  constructor(ports: TrimmerPorts) {
    this.#ports = ports
  }

  /** The channel is appended to, or followed: then it may hold what an earlier process appended. */
  track(channel: string, retentions: Retentions): void {
    if (this.#closed) return
    const now = this.#ports.clock.now()
    const periodMs = this.#periodMs(retentions)
    const queue = this.#queues.get(periodMs) ?? new Map<string, Tracked>()
    this.#queues.set(periodMs, queue)
    const tracked = queue.get(channel)
    if (tracked === undefined) queue.set(channel, { retentions, usedAt: now, dueAt: now + periodMs })
    else tracked.usedAt = now
    this.#cancel ??= this.#schedule()
  }

  close(): void {
    this.#closed = true
    this.#cancel?.()
    this.#queues.clear()
  }

  #schedule(): () => void {
    return this.#ports.clock.after(this.#ports.intervalMs, () => {
      this.#cancel = undefined
      void this.#trimDue()
    })
  }

  async #trimDue(): Promise<void> {
    const now = this.#ports.clock.now()
    for (const [periodMs, queue] of this.#queues) {
      for (const [channel, tracked] of queue) {
        if (tracked.dueAt > now) break
        await this.#trim(channel, tracked, now)
        queue.delete(channel)
        const isOver = tracked.usedAt + longestMs(tracked.retentions) < now
        if (!isOver || this.#ports.isFollowed(channel)) {
          tracked.dueAt = now + periodMs
          queue.set(channel, tracked)
        }
      }
      if (queue.size === 0) this.#queues.delete(periodMs)
    }
    if (!this.#closed && this.#queues.size > 0) this.#cancel ??= this.#schedule()
  }

  async #trim(channel: string, tracked: Tracked, now: number): Promise<void> {
    const { log, logger } = this.#ports
    try {
      await log.trim(channel, tracked.retentions, now)
    } catch (error) {
      // what is in it is not over before it was trimmed
      tracked.usedAt = now
      if (!this.#closed)
        logger.error(`the log of ${channel} could not be trimmed, trying again later`, { error })
    }
  }

  /** Each append asks for it. */
  #periodMs(retentions: Retentions): number {
    const known = this.#periodsMs.get(retentions)
    if (known !== undefined) return known
    const shortestMs = Math.min(...agesOf(retentions))
    const periodMs = Math.max(this.#ports.intervalMs, Math.min(shortestMs * DELAY_PART, PERIOD_MS_MAX))
    this.#periodsMs.set(retentions, periodMs)
    return periodMs
  }
}

/** After which times something in the channel is too old. */
function agesOf(retentions: Retentions): number[] {
  return Object.values(retentions).flatMap(({ forMs, removalsForMs }) => [forMs, removalsForMs])
}

/** The longest of them; what is kept for ever needs no trim. */
function longestMs(retentions: Retentions): number {
  return Math.max(0, ...agesOf(retentions).filter(Number.isFinite))
}
