/** How long to wait between attempts to connect, in ms. */
export interface Backoff {
  /** The most that is waited after the first failure; each further one doubles it. */
  readonly minMs: number
  /** The most that is ever waited. */
  readonly maxMs: number
}

/** Full jitter: anything from nothing to the ceiling, so that clients that fell together do not come back together. */
export function backoffMs({ minMs, maxMs }: Backoff, failures: number, random: () => number): number {
  return random() * Math.min(maxMs, minMs * 2 ** failures)
}
