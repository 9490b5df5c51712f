/** The client's time. */
export interface Clock {
  /**
   * ms since 1970, or from any other point that is the same for all clients of a session, never going back. How the server's clock
   * stands does not matter.
   */
  readonly monotonic: () => number
  /** Runs `task` once, `ms` from now. Returns how to cancel it. */
  readonly after: (ms: number, task: () => void) => () => void
}

/** The time of what is not to happen. */
export const NEVER_MS = Number.POSITIVE_INFINITY
