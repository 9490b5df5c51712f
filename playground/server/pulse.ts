import { randomUUID } from "node:crypto"
import { beatEveryMs } from "../places.ts"

export interface Beat {
  readonly run: string
  readonly number: number
  /** The number of the first event of its burst. */
  readonly burst?: number | undefined
}

/** The pulse's channel, as a node sees it. */
export interface PulseChannel {
  readonly newest: () => Promise<{ readonly data: Beat; readonly at: number } | undefined>
  /** A number is published once, whoever does it. */
  readonly publish: (beat: Beat) => Promise<unknown>
  readonly complain: (what: string, error: unknown) => void
}

/** Another node's pulse has stopped when nothing came for so long. */
const TAKE_OVER_MS = 300

/**
 * Publishes numbered events at a steady rate, one node of all that share the log. A number is that of the newest event in the
 * log plus one, and is its idempotency key: so the numbers rise as the offsets do and have no hole unless an event was
 * lost, even while two nodes take each other for dead.
 */
export function createPulse({ newest, publish, complain }: PulseChannel) {
  let mine: Beat | undefined
  let leading = false
  let queue: Promise<unknown> = Promise.resolve()
  let waiting = 0

  let beating: ReturnType<typeof setInterval> | undefined

  async function add(count: number, last: Beat | undefined): Promise<void> {
    const run = last?.run ?? randomUUID()
    const first = (last?.number ?? 0) + 1
    const burst = count > 1 ? { burst: first } : {}
    const beats = Array.from({ length: count }, (_, index) => ({ run, number: first + index, ...burst }))
    mine = beats.at(-1)
    await Promise.all(beats.map(publish))
  }

  async function beat(): Promise<void> {
    const last = await newest()
    const isMine = last?.data.run === mine?.run && last?.data.number === mine?.number
    leading = last === undefined || isMine || Date.now() - last.at >= TAKE_OVER_MS
    if (leading) await add(1, last?.data)
  }

  /** One after the other, so that each knows what the one before has published. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    waiting++
    const done = queue.then(work).finally(() => waiting--)
    queue = done.catch(() => undefined)
    return done
  }

  function tick(): void {
    if (waiting > 0) return
    inTurn(beat).catch((error: unknown) => complain("A beat could not be published", error))
  }

  return {
    /** Whether it is this node that publishes. */
    isLeading: () => leading,
    burst: (count: number): Promise<void> => inTurn(async () => add(count, (await newest())?.data)),
    start: () => {
      beating = setInterval(tick, beatEveryMs)
    },
    stop: () => {
      clearInterval(beating)
      leading = false
    },
  }
}
