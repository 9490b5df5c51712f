import { describe, expect, test } from "vitest"
import { Value } from "../../src/logs/memory/value.ts"
import { seeded } from "../../src/testing/seeded.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

describe("a value in memory", () => {
  test("is the given body until it is extended", () => {
    const body = bytesOf("1")
    const value = new Value(body, 7)
    expect(value.whole()).toBe(body)
    expect([value.putAt, value.lastChange(7), value.lastChange(100)]).toEqual([7, 7, 7])
    value.extend(bytesOf("2"), 9)
    expect(textOf(value.whole())).toBe("12")
    expect(textOf(body)).toBe("1")
    expect([value.putAt, value.lastChange(8), value.lastChange(9)]).toEqual([7, 7, 9])
  })

  test("shows what was added between two offsets", () => {
    const value = new Value(bytesOf("a"), 2)
    for (const [index, text] of ["b", "", "cd"].entries()) value.extend(bytesOf(text), 4 + index * 3)
    const spans = [
      [0, 2, "a"],
      [1, 10, "abcd"],
      [2, 10, "bcd"],
      [3, 4, "b"],
      [4, 9, ""],
      [4, 10, "cd"],
      [9, 99, "cd"],
      [10, 99, ""],
    ] as const
    for (const [after, through, text] of spans) {
      expect([after, through, textOf(value.between(after, through))]).toEqual([after, through, text])
    }
  })

  test.each([1, 2, 3])("is what a plain list of pieces is (seed %i)", (seed) => {
    const dice = seeded(seed)
    const pieces = [{ offset: 1, text: "put" }]
    const value = new Value(bytesOf("put"), 1)
    const views: (readonly [Uint8Array, string])[] = []
    for (let offset = 2; offset < 2_000; offset++) {
      if (dice.chance(0.5)) continue
      const text = "x".repeat(dice.between(0, 3)) + offset
      pieces.push({ offset, text })
      value.extend(bytesOf(text), offset)
      if (!dice.chance(0.05)) continue
      const [after = 0, through = 0] = [dice.between(0, offset), dice.between(1, offset)].sort(
        (a, b) => a - b,
      )
      const inside = pieces.filter((piece) => piece.offset > after && piece.offset <= through)
      views.push([value.between(after, through), inside.map((piece) => piece.text).join("")])
    }
    for (const [bytes, text] of views) expect(textOf(bytes)).toBe(text)
    expect(textOf(value.whole())).toBe(pieces.map(({ text }) => text).join(""))
  })
})
