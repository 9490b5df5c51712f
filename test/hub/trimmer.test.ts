import { expect, it } from "vitest"
import { Trimmer } from "../../src/hub/trimmer.ts"
import { memoryLog } from "../../src/logs/memory.ts"
import { virtualClock } from "../../src/testing/virtual-clock.ts"

const keep = { events: 10, forMs: 5_000, bytes: 1_000 }
const silent = { warn: () => {}, error: () => {} }

it("does not forget a channel that is published on while it is trimmed", async () => {
  const clock = virtualClock()
  const trimmed: number[] = []
  const log = {
    ...memoryLog(),
    trim: async () => {
      trimmed.push(clock.monotonic())
      if (trimmed.length === 1) trimmer.track("a", keep)
    },
  }
  const trimmer = new Trimmer(log, clock, 10_000, silent)
  trimmer.track("a", keep)
  await clock.advance(60_000)
  expect(trimmed).toEqual([10_000, 20_000])
  expect(clock.nextDueMs()).toBeUndefined()
})
