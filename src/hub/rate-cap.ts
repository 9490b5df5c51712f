import type { Position } from "../protocol/position.ts"
import type { Clock } from "./clock.ts"

type Append = () => Promise<Position>

interface Lane {
  /** When the next append may happen, on the monotonic clock. */
  nextAt: number
  /** The latest that waits for it, with all who wait. */
  waiting: { append: Append; readonly settled: Promise<Position> } | undefined
}

/** Keys whose last change is remembered before those are dropped whose time is over. */
const SWEEP_AT = 1_024

/**
 * Lets each key change only so often: what comes in between is merged into the latest, which is appended when its time
 * has come. Merging before the append, rather than before delivery, keeps the one order of offsets for everybody.
 */
export class RateCap {
  readonly #clock: Clock
  readonly #lanes = new Map<string, Lane>()
  #sweepAt = SWEEP_AT

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Runs `append` now, or in its place the last one that is passed for `key` before `intervalMs` are over. */
  run(key: string, intervalMs: number, append: Append): Promise<Position> {
    const now = this.#clock.monotonic()
    const lane = this.#lanes.get(key)
    if (lane?.waiting !== undefined) {
      lane.waiting.append = append
      return lane.waiting.settled
    }
    if (lane !== undefined && now < lane.nextAt)
      return this.#wait(lane, intervalMs, lane.nextAt - now, append)
    if (lane !== undefined) lane.nextAt = now + intervalMs
    else this.#add(key, { nextAt: now + intervalMs, waiting: undefined }, now)
    return append()
  }

  #wait(lane: Lane, intervalMs: number, ms: number, append: Append): Promise<Position> {
    const settled = new Promise<void>((resolve) => {
      this.#clock.after(ms, resolve)
    }).then(() => {
      const latest = lane.waiting?.append ?? append
      lane.waiting = undefined
      lane.nextAt = this.#clock.monotonic() + intervalMs
      return latest()
    })
    lane.waiting = { append, settled }
    return settled
  }

  #add(key: string, lane: Lane, now: number): void {
    this.#lanes.set(key, lane)
    if (this.#lanes.size < this.#sweepAt) return
    for (const [each, { nextAt, waiting }] of this.#lanes) {
      if (waiting === undefined && nextAt <= now) this.#lanes.delete(each)
    }
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#lanes.size)
  }
}
