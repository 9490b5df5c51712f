import type { Position } from "../../protocol/position.ts"
import type { Clock } from "../ports/clock.ts"

type Append = () => Promise<Position>

/** A change of a key, ready to be appended. */
export interface CappedAppend {
  readonly append: Append
  /** Whether the log has to know it by an idempotency key of its own, so that nothing else may stand for it. */
  readonly keyed: boolean
}

/** A change that waits for its time, and the callers that get its outcome. */
interface Waiting extends CappedAppend {
  readonly askers: ((outcome: Promise<Position>) => void)[]
}

interface KeyQueue {
  /** When the next append may happen, on the monotonic clock. */
  nextAt: number
  /** Those that wait for it, oldest first. */
  waiting: Waiting[]
}

/** Keys whose last change is remembered before those are dropped whose time is over. */
const SWEEP_AT = 1_024

/**
 * Lets each key change only so often: what comes in between is merged into the latest, which is appended when its time
 * has come. Merging before the append, rather than before delivery, keeps the one order of offsets for everybody.
 *
 * What has an idempotency key is appended nevertheless, all at once when the time has come: sent again, it has to be found,
 * or it would undo what came after it. Such changes are merged where they are delivered (`Channel`).
 */
export class RateCap {
  readonly #clock: Clock
  readonly #queues = new Map<string, KeyQueue>()
  #sweepAt = SWEEP_AT

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Appends now, or when `intervalMs` have gone by since `key` changed last; then perhaps something later in its place. */
  run(key: string, intervalMs: number, change: CappedAppend): Promise<Position> {
    const now = this.#clock.monotonic()
    const queue = this.#queues.get(key)
    if (queue !== undefined && (queue.waiting.length > 0 || now < queue.nextAt)) {
      return new Promise((settle) => {
        if (queue.waiting.length === 0)
          this.#clock.after(queue.nextAt - now, () => this.#end(queue, intervalMs))
        enqueue(queue.waiting, change, settle)
      })
    }
    if (queue !== undefined) queue.nextAt = now + intervalMs
    else this.#add(key, { nextAt: now + intervalMs, waiting: [] }, now)
    return change.append()
  }

  #end(queue: KeyQueue, intervalMs: number): void {
    const { waiting } = queue
    queue.waiting = []
    queue.nextAt = this.#clock.monotonic() + intervalMs
    for (const { append, askers } of waiting) {
      const outcome = append()
      for (const settle of askers) settle(outcome)
    }
  }

  #add(key: string, queue: KeyQueue, now: number): void {
    this.#queues.set(key, queue)
    if (this.#queues.size < this.#sweepAt) return
    for (const [each, { nextAt, waiting }] of this.#queues) {
      if (waiting.length === 0 && nextAt <= now) this.#queues.delete(each)
    }
    this.#sweepAt = Math.max(SWEEP_AT, 2 * this.#queues.size)
  }
}

/** Whatever comes takes the place of one right before it that has no key. */
function enqueue(
  waiting: Waiting[],
  { append, keyed }: CappedAppend,
  settle: Waiting["askers"][number],
): void {
  const before = waiting.at(-1)
  const merged = before !== undefined && !before.keyed ? waiting.pop() : undefined
  waiting.push({ append, keyed, askers: [...(merged?.askers ?? []), settle] })
}
