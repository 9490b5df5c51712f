import type { Position } from "../protocol/position.ts"
import type { Clock } from "./clock.ts"
import type { Appended } from "./log.ts"

/** A change of a key, ready to be appended. */
export interface CappedAppend {
  readonly append: () => Promise<Appended>
  /** Whether it has an idempotency key, so that it may turn out to have been appended before. */
  readonly repeatable: boolean
}

type Settle = (outcome: Promise<Position>) => void

/** One that may be appended when the time has come, and all whom its outcome is told. */
interface Candidate {
  readonly append: () => Promise<Appended>
  readonly askers: Settle[]
}

interface Lane {
  /** When the next append may happen, on the monotonic clock. */
  nextAt: number
  /** Those that wait for it, oldest first. */
  waiting: Candidate[]
}

/** Keys whose last change is remembered before those are dropped whose time is over. */
const SWEEP_AT = 1_024

/**
 * Lets each key change only so often: what comes in between is merged into the latest, which is appended when its time
 * has come. Merging before the append, rather than before delivery, keeps the one order of offsets for everybody.
 *
 * What is merged must not be lost with what it was merged into: a latest one that is a repeat, or is refused, leaves its
 * place to the one before it. So those that may be repeats are all kept until then.
 */
export class RateCap {
  readonly #clock: Clock
  readonly #lanes = new Map<string, Lane>()
  #sweepAt = SWEEP_AT

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Appends now, or in its place the last one that is passed for `key` before `intervalMs` are over. */
  async run(key: string, intervalMs: number, { append, repeatable }: CappedAppend): Promise<Position> {
    const now = this.#clock.monotonic()
    const lane = this.#lanes.get(key)
    if (lane !== undefined && (lane.waiting.length > 0 || now < lane.nextAt)) {
      return new Promise((settle) => {
        if (lane.waiting.length === 0) this.#clock.after(lane.nextAt - now, () => this.#end(lane, intervalMs))
        enqueue(lane.waiting, append, repeatable, settle)
      })
    }
    if (lane !== undefined) lane.nextAt = now + intervalMs
    else this.#add(key, { nextAt: now + intervalMs, waiting: [] }, now)
    const { position } = await append()
    return position
  }

  async #end(lane: Lane, intervalMs: number): Promise<void> {
    const candidates = lane.waiting
    lane.waiting = []
    lane.nextAt = this.#clock.monotonic() + intervalMs
    for (let latest = candidates.pop(); latest !== undefined; latest = candidates.pop()) {
      const appended = latest.append()
      const outcome = appended.then(({ position }) => position)
      for (const settle of latest.askers) settle(outcome)
      // who asked for one that is refused is told so, nobody else
      const taken = await appended.then(({ duplicate }) => !duplicate).catch(() => false)
      if (!taken) continue
      for (const { askers } of candidates) for (const settle of askers) settle(outcome)
      return
    }
  }

  #add(key: string, lane: Lane, now: number): void {
    this.#lanes.set(key, lane)
    if (this.#lanes.size < this.#sweepAt) return
    for (const [each, { nextAt, waiting }] of this.#lanes) {
      if (waiting.length === 0 && nextAt <= now) this.#lanes.delete(each)
    }
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#lanes.size)
  }
}

/** One that is no repeat for certain takes the place of all before it at once, so that these need not be kept. */
function enqueue(
  waiting: Candidate[],
  append: Candidate["append"],
  repeatable: boolean,
  settle: Settle,
): void {
  const [askers = [], ...others] = repeatable ? [] : waiting.splice(0).map((candidate) => candidate.askers)
  for (const each of others) askers.push(...each)
  askers.push(settle)
  waiting.push({ append, askers })
}
