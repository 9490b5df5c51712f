import { onTestFinished, vi } from "vitest"

/** From here to the end of the test, the timers of hub and client wait for `advance`; sockets are as quick as they are. */
export function virtualTimers(): { readonly advance: (ms: number) => void } {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
  onTestFinished(() => void vi.useRealTimers())
  return { advance: (ms) => void vi.advanceTimersByTime(ms) }
}
