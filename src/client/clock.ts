/**
 * The client's time. It needs no wall clock: a token's expiry comes with the server's own time, so only the difference
 * counts. A hub's clock will do as well.
 */
export interface Clock {
  /** ms from an arbitrary point, never going back. */
  readonly monotonic: () => number
  /** Runs `task` once, `ms` from now. Returns how to cancel it. */
  readonly after: (ms: number, task: () => void) => () => void
}

/** The time of what is not to happen. */
export const NEVER_MS = Number.POSITIVE_INFINITY
