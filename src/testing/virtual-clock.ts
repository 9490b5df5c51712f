/** A task that waits for its time. */
interface Timer {
  readonly dueMs: number
  readonly task: () => void
}

/**
 * Time that only passes when it is told to. It fits the clocks of the hub and of the client, so both can be tested in
 * milliseconds, whatever they wait for.
 */
export interface VirtualClock {
  readonly now: () => number
  readonly monotonic: () => number
  readonly after: (ms: number, task: () => void) => () => void
  readonly soon: (task: () => void) => void
  /** Lets `ms` pass: runs what becomes due, in order, and what follows from it. */
  readonly advance: (ms: number) => Promise<void>
  /** Runs everything that is due now and what follows from it, without time passing. */
  readonly settle: () => Promise<void>
  /**
   * Lets time pass from timer to timer until `condition` holds.
   * @throws Error when it did not within `limitMs` (default one hour), or when nothing is left to happen
   */
  readonly until: (condition: () => boolean, limitMs?: number) => Promise<void>
  /** Lets time pass from timer to timer until `work` settles, and is what it is. Rejects as `until` does. */
  readonly run: <T>(work: Promise<T>, limitMs?: number) => Promise<T>
  /** Sets the wall clock forward or back, as an operator or NTP would; `monotonic` does not jump. */
  readonly jump: (ms: number) => void
  /** When the next timer is due, in ms of `monotonic`; undefined when there is none. */
  readonly nextDueMs: () => number | undefined
}

declare const setImmediate: ((task: () => void) => void) | undefined
declare const setTimeout: (task: () => void, ms: number) => void

/** Resolves when every promise that could settle without time passing has settled: the engine then runs the next task. */
const quiet =
  typeof setImmediate === "function"
    ? () => new Promise<void>((resolve) => setImmediate?.(resolve))
    : () => new Promise<void>((resolve) => setTimeout(resolve, 0))

/** How long to wait for something unless told otherwise, in ms of virtual time. */
const LIMIT_MS = 3_600_000

/** @param startMs what `now` says first, ms since 1970 */
export function virtualClock(startMs = Date.UTC(2030, 0, 1)): VirtualClock {
  let elapsedMs = 0
  let jumpedMs = 0
  const timers: Timer[] = []
  let soon: (() => void)[] = []

  const settle = async (): Promise<void> => {
    await quiet()
    while (soon.length > 0) {
      const tasks = soon
      soon = []
      for (const task of tasks) task()
      await quiet()
    }
  }

  const runNext = async (untilMs: number): Promise<boolean> => {
    const next = timers[0]
    if (next === undefined || next.dueMs > untilMs) return false
    timers.shift()
    elapsedMs = Math.max(elapsedMs, next.dueMs)
    next.task()
    await settle()
    return true
  }

  const advance = async (ms: number): Promise<void> => {
    const untilMs = elapsedMs + ms
    await settle()
    while (await runNext(untilMs));
    elapsedMs = untilMs
  }

  const until = async (condition: () => boolean, limitMs = LIMIT_MS): Promise<void> => {
    const untilMs = elapsedMs + limitMs
    await settle()
    while (!condition()) {
      if (await runNext(untilMs)) continue
      const why = timers.length === 0 ? "nothing is left to happen" : `${limitMs} ms of virtual time are over`
      throw new Error(`what was waited for did not come true, and ${why}`)
    }
  }

  return {
    now: () => startMs + elapsedMs + jumpedMs,
    monotonic: () => elapsedMs,
    after: (ms, task) => {
      const timer = { dueMs: elapsedMs + Math.max(0, ms), task }
      insert(timers, timer)
      return () => {
        const index = timers.indexOf(timer)
        if (index >= 0) timers.splice(index, 1)
      }
    },
    soon: (task) => {
      soon.push(task)
    },
    advance,
    settle,
    until,
    run: async (work, limitMs) => {
      let settled = false
      const done = () => {
        settled = true
      }
      work.then(done, done)
      await until(() => settled, limitMs)
      return work
    },
    jump: (ms) => {
      jumpedMs += ms
    },
    nextDueMs: () => timers[0]?.dueMs,
  }
}

/** Keeps timers by due time, and in the order they were set where that is the same. */
function insert(timers: Timer[], timer: Timer): void {
  let low = 0
  let high = timers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((timers[middle] as Timer).dueMs <= timer.dueMs) low = middle + 1
    else high = middle
  }
  timers.splice(low, 0, timer)
}
