/** For those who asked their system for less motion, pictures move on once in a while instead of all the time. */
const CALM_MS = 1_000

/** Calls `draw` at most once in `everyMs`, with the time in ms since 1970, as long as the page can be seen. */
export function onFrame(everyMs: number, draw: (nowMs: number) => void): void {
  const calm = matchMedia("(prefers-reduced-motion: reduce)")
  let drawnMs = Number.NEGATIVE_INFINITY
  function frame(): void {
    requestAnimationFrame(frame)
    const now = nowMs()
    // A frame that comes a hair too early would be skipped, and the next one be late.
    if (now - drawnMs < (calm.matches ? CALM_MS : everyMs) - 4) return
    drawnMs = now
    draw(now)
  }
  frame()
}

/** ms since 1970; never goes back, as the clock of the wall may. */
export const nowMs = (): number => performance.timeOrigin + performance.now()
