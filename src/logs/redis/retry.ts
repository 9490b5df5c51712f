import { setTimeout as pause } from "node:timers/promises"

const BACKOFF_MS = { min: 20, max: 500 } as const

/**
 * Attempts it until it succeeds, with longer and longer pauses.
 * @param shouldRepeat is called with each failure, and with how long the pause would be
 * @param signal ends a pause; the failure before it is thrown then
 * @throws the failure that is not to be repeated
 */
export async function retry<T>(
  attempt: () => Promise<T>,
  shouldRepeat: (error: unknown, pauseMs: number) => boolean,
  signal?: AbortSignal,
): Promise<T> {
  const isOver = () => signal?.aborted === true
  for (let pauseMs: number = BACKOFF_MS.min; ; pauseMs = Math.min(2 * pauseMs, BACKOFF_MS.max)) {
    try {
      return await attempt()
    } catch (error) {
      if (isOver() || !shouldRepeat(error, pauseMs)) throw error
      await pause(pauseMs, undefined, signal && { signal }).catch(() => undefined)
      if (isOver()) throw error
    }
  }
}
