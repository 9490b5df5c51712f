import { afterEach, expect, test, vi } from "vitest"
import { platformDevice } from "../../src/client/device.ts"

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

/** A page, as far as the device looks at it. */
function page() {
  vi.useFakeTimers()
  const window = new EventTarget()
  const document = Object.assign(new EventTarget(), { hidden: false })
  vi.stubGlobal("addEventListener", window.addEventListener.bind(window))
  vi.stubGlobal("document", document)
  const told: string[] = []
  const stop = platformDevice({ onChange: () => told.push("change"), onFreeze: () => told.push("freeze") })
  const fire = (type: string, more: object = {}) => window.dispatchEvent(Object.assign(new Event(type), more))
  return { told, stop, fire, document }
}

test("tells of a network that comes and goes, and of a page that is seen again", () => {
  const { told, fire, document, stop } = page()
  fire("online")
  fire("offline")
  document.hidden = true
  document.dispatchEvent(new Event("visibilitychange"))
  expect(told).toEqual(["change", "change"])
  document.hidden = false
  document.dispatchEvent(new Event("visibilitychange"))
  expect(told).toHaveLength(3)
  stop()
  fire("online")
  expect(told).toHaveLength(3)
})

test("tells of a page that is put away and shown again, not of one that is left", () => {
  const { told, fire } = page()
  fire("pagehide", { persisted: false })
  fire("pageshow", { persisted: false })
  expect(told).toEqual([])
  fire("pagehide", { persisted: true })
  fire("pageshow", { persisted: true })
  expect(told).toEqual(["freeze", "change"])
})

test("notices that the machine has slept within two seconds of waking", () => {
  const { told } = page()
  vi.advanceTimersByTime(10_000)
  expect(told).toEqual([])
  vi.setSystemTime(Date.now() + 3_600_000)
  vi.advanceTimersByTime(2_000)
  expect(told).toEqual(["change"])
})

test("does nothing where there is no page but look at the clock", () => {
  vi.useFakeTimers()
  const stop = platformDevice({ onChange: () => undefined, onFreeze: () => undefined })
  expect(vi.getTimerCount()).toBe(1)
  stop()
  expect(vi.getTimerCount()).toBe(0)
})
