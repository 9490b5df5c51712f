import { expect, test, vi } from "vitest"
import { createRoute } from "../../src/client/route.ts"

const route = (best = 0, remember: (best: number) => void = () => undefined) =>
  createRoute(3, best, () => 1, remember)

test("begins with what worked, then tries all others", () => {
  expect(route().all()).toEqual([0, 1, 2])
  expect(route(1).all()).toEqual([1, 2, 0])
  expect(route(1).all(2)).toEqual([2, 0, 1])
})

test("remembers what works", () => {
  const remember = vi.fn()
  const { all, handleWelcome } = route(0, remember)
  handleWelcome(0)
  expect(remember).not.toHaveBeenCalled()
  handleWelcome(1)
  expect(remember).toHaveBeenCalledWith(1)
  expect(all()).toEqual([1, 2, 0])
})

test("looks for something better now and then, and ever less often", () => {
  const { climbMs, handleWelcome } = route()
  expect(climbMs(0)).toBe(Number.POSITIVE_INFINITY)
  handleWelcome(2)
  expect([1, 2, 3, 4, 5, 6].map(() => climbMs(2))).toEqual([
    30_000, 60_000, 120_000, 240_000, 480_000, 600_000,
  ])
  handleWelcome(1)
  expect(climbMs(1)).toBe(30_000)
})

test("keeps a line alive when two in a row were cut after the same silence", () => {
  const it = route()
  it.handleCut(0, 100_000, 5_000, 75_000)
  it.handleCut(0, 4_000, 4_000, 75_000)
  it.handleCut(0, 5_000, 5_000, 75_000)
  expect(it.keepAliveMs).toBe(Number.POSITIVE_INFINITY)
  it.handleCut(0, 5_100, 5_000, 75_000)
  expect(it.keepAliveMs).toBe(2_500)
  it.handleCut(0, 5_000, 100, 75_000)
  expect(it.keepAliveMs).toBe(2_500)
})

test("prefers another transport when three lines in a row were cut that had hardly begun", () => {
  const { all, handleCut } = route()
  handleCut(0, 10, 10, 75_000)
  handleCut(0, 10, 10, 75_000)
  handleCut(0, 80_000, 10, 75_000)
  handleCut(0, 10, 10, 75_000)
  handleCut(0, 10, 10, 75_000)
  expect(all()).toEqual([0, 1, 2])
  handleCut(0, 10, 10, 75_000)
  expect(all()).toEqual([1, 2, 0])
})
