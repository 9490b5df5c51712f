import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { realClock } from "../../../src/server/node/clock.ts"

const DAY_MS = 24 * 3600_000

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

test("a timer waits longer than Node's own can", () => {
  let done = false
  realClock.after(60 * DAY_MS, () => {
    done = true
  })
  vi.advanceTimersByTime(60 * DAY_MS - 1)
  expect(done).toBe(false)
  vi.advanceTimersByTime(1)
  expect(done).toBe(true)
})

test("a timer can be cancelled, also after a part of a long wait", () => {
  const task = vi.fn()
  const cancel = realClock.after(60 * DAY_MS, task)
  vi.advanceTimersByTime(59 * DAY_MS)
  cancel()
  vi.advanceTimersByTime(2 * DAY_MS)
  expect(task).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})
