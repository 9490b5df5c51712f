/** The hub's time. The server gives it the real one, tests and the simulation a virtual one. */
export interface Clock {
  /** ms since 1970. May jump: nothing may rest on it that has to be monotonic. */
  readonly now: () => number
  /** ms from an arbitrary point, never going back. */
  readonly monotonic: () => number
  /** Runs `task` once, `ms` from now. Returns how to cancel it. */
  readonly after: (ms: number, task: () => void) => () => void
  /** Runs `task` at the end of this turn of the event loop. */
  readonly soon: (task: () => void) => void
}
