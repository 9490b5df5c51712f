import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { createAudience, LINGER_MS, LOOK_EVERY_MS } from "../../playground/server/audience.ts"

describe("the publishers of the playground", () => {
  let connections: number
  let running: boolean
  let audience: ReturnType<typeof createAudience>

  beforeEach(() => {
    vi.useFakeTimers()
    connections = 0
    running = false
    audience = createAudience({
      hasConnections: () => connections > 0,
      start: () => {
        running = true
      },
      stop: () => {
        running = false
      },
    })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it("do not run before the first client", () => {
    vi.advanceTimersByTime(10 * LINGER_MS)
    expect(running).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
  })

  it("run as long as a client is connected", () => {
    connections = 1
    audience.handleConnection()
    vi.advanceTimersByTime(10 * LINGER_MS)
    expect(running).toBe(true)
  })

  it("go on for a client that comes back in time", () => {
    audience.handleConnection()
    vi.advanceTimersByTime(LINGER_MS - LOOK_EVERY_MS)
    audience.handleConnection()
    vi.advanceTimersByTime(LINGER_MS - LOOK_EVERY_MS)
    expect(running).toBe(true)
  })

  it("stop when no client has been connected for a while, and start again", () => {
    audience.handleConnection()
    vi.advanceTimersByTime(LINGER_MS)
    expect(running).toBe(false)
    expect(vi.getTimerCount()).toBe(0)
    audience.handleConnection()
    expect(running).toBe(true)
  })
})
