import { performance } from "node:perf_hooks"
import type { Clock } from "../../hub/ports/clock.ts"

/** The longest that a timer of Node can wait: beyond, it fires at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** The real time. Its timers do not keep the process alive: sockets do. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, task) => {
    let timer: NodeJS.Timeout
    const wait = (restMs: number) => {
      const stepMs = Math.min(restMs, TIMER_MS_MAX)
      timer = setTimeout(() => (restMs > stepMs ? wait(restMs - stepMs) : task()), stepMs)
      timer.unref()
    }
    wait(ms)
    return () => clearTimeout(timer)
  },
  soon: (task) => {
    setImmediate(task)
  },
}
