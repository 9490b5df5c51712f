import { expect, test } from "vitest"
import { fitCloseReason } from "../../../src/server/websocket/close-reason.ts"

test("a reason that fits stays as it is", () => {
  expect(fitCloseReason("bye")).toBe("bye")
  expect(fitCloseReason("x".repeat(123))).toBe("x".repeat(123))
})

test("a reason that is too long is cut at a character's end", () => {
  expect(fitCloseReason("x".repeat(200))).toBe("x".repeat(123))
  expect(fitCloseReason("é".repeat(100))).toBe("é".repeat(61))
  expect(fitCloseReason(`x${"😀".repeat(50)}`)).toBe(`x${"😀".repeat(30)}`)
})

test("half a surrogate pair at the end is left out", () => {
  expect(fitCloseReason("x😀".slice(0, 2))).toBe("x")
})
