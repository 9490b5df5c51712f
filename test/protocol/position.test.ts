import { describe, expect, test } from "vitest"
import { EPOCH_LENGTH_MAX, isOffset, isPosition } from "../../src/protocol/position.ts"

describe("a position", () => {
  test.each([
    { epoch: "e", offset: 0 },
    { epoch: "x".repeat(EPOCH_LENGTH_MAX), offset: Number.MAX_SAFE_INTEGER },
    { epoch: "e", offset: 1, more: true },
  ])("may be %j", (value) => {
    expect(isPosition(value)).toBe(true)
  })

  test.each([
    null,
    undefined,
    "e:1",
    7,
    [],
    ["e", 1],
    {},
    { epoch: "e" },
    { offset: 1 },
    { epoch: "", offset: 1 },
    { epoch: "x".repeat(EPOCH_LENGTH_MAX + 1), offset: 1 },
    { epoch: 1, offset: 1 },
    { epoch: null, offset: 1 },
    { epoch: "e", offset: "1" },
    { epoch: "e", offset: -1 },
    { epoch: "e", offset: 1.5 },
    { epoch: "e", offset: Number.NaN },
    { epoch: "e", offset: 2 ** 53 },
  ])("may not be %j", (value) => {
    expect(isPosition(value)).toBe(false)
  })
})

test.each([
  [0, true],
  [Number.MAX_SAFE_INTEGER, true],
  [-1, false],
  [0.5, false],
  [2 ** 53, false],
  [Number.POSITIVE_INFINITY, false],
  [1n, false],
  ["1", false],
  [null, false],
])("%s as an offset: %s", (value, expected) => {
  expect(isOffset(value)).toBe(expected)
})
