import { NEVER_MS } from "./clock.ts"

/** Cuts in a row of lines that had hardly begun, after which another transport is preferred. */
const SHORT_LINES_MAX = 3
/** A line that was silent for less was not cut for its silence, in ms. */
const IDLE_MS_MIN = 1_000
/** How long to stay with a lesser transport before a better one is tried, in ms: at first, and after failures at most. */
const CLIMB_MS_MIN = 30_000
const CLIMB_MS_MAX = 600_000

/** Which transports to try, in which order. They are numbers: the lower, the better. */
export interface Route {
  /** A line that is silent for so long has to be kept alive, in ms. */
  readonly keepAliveMs: number
  /** All of them, beginning with `from`, by default the one that worked last. */
  readonly all: (from?: number) => number[]
  /** How long to wait before those are tried that are better than `current`, in ms; never, if none is. */
  readonly climbMs: (current: number) => number
  /** `current` let us in. */
  readonly handleWelcome: (current: number) => void
  /** A line was cut `livedMs` after its welcome, and `idleMs` after the last that was heard. `shortMs`: lived hardly at all. */
  readonly handleCut: (current: number, livedMs: number, idleMs: number, shortMs: number) => void
}

/** @param first where to begin: what worked before. @param remember is told when that changes */
export function createRoute(
  count: number,
  first: number,
  random: () => number,
  remember: (best: number) => void,
): Route {
  let best = first
  let keepAliveMs = NEVER_MS
  let shortLines = 0
  let lastIdleMs = 0
  let climbs = 0
  return {
    get keepAliveMs() {
      return keepAliveMs
    },
    all: (from = best) => Array.from({ length: count }, (_, index) => (from + index) % count),
    climbMs: (current) =>
      current > 0 ? Math.min(CLIMB_MS_MAX, CLIMB_MS_MIN * 2 ** climbs++) * (0.5 + random() / 2) : NEVER_MS,
    handleWelcome: (current) => {
      if (current === best) return
      if (current < best) climbs = 0
      best = current
      remember(best)
    },
    handleCut: (current, livedMs, idleMs, shortMs) => {
      shortLines = livedMs < shortMs ? shortLines + 1 : 0
      if (shortLines === 0) return
      // twice after the same silence: a server that crashed is no reason to ping the next one for ever
      if (idleMs >= IDLE_MS_MIN && Math.abs(idleMs - lastIdleMs) < idleMs / 8) {
        keepAliveMs = Math.max(IDLE_MS_MIN, Math.min(keepAliveMs, idleMs / 2))
      }
      lastIdleMs = idleMs
      if (shortLines % SHORT_LINES_MAX === 0) best = (current + 1) % count
    },
  }
}
