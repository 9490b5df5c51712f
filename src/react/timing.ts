/** Time, as the hooks need it. */
export interface Timing {
  /** Runs a task before the page is painted next, or soon where nothing is painted. */
  readonly nextFrame: (task: () => void) => void
  /** Runs a task `ms` from now. Returns how to cancel it. */
  readonly after: (ms: number, task: () => void) => () => void
}

/** A page that nobody sees gets no frames, so there a timer comes first, which is soon enough. */
const HIDDEN_FRAME_MS = 100

export const platformTiming: Timing = {
  nextFrame: (task) => {
    if (typeof requestAnimationFrame !== "function") {
      setTimeout(task, 0)
      return
    }
    const frame = requestAnimationFrame(() => {
      clearTimeout(timer)
      task()
    })
    const timer = setTimeout(() => {
      cancelAnimationFrame(frame)
      task()
    }, HIDDEN_FRAME_MS)
  },
  after: (ms, task) => {
    const timer = setTimeout(task, ms)
    return () => clearTimeout(timer)
  },
}
