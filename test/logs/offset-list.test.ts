import { describe, expect, test } from "vitest"
import { OffsetList } from "../../src/logs/memory/offset-list.ts"
import { seeded } from "../../src/testing/seeded.ts"

type Thing = { readonly name: string }

const push = (list: OffsetList<Thing>, offset: number) => list.push(offset, { name: `${offset}` })

/** All offsets behind `after`, as a reader walks them. */
function offsetsOf(list: OffsetList<Thing>, after = 0): number[] {
  const offsets: number[] = []
  for (let slot = list.next(list.seek(after)); slot < list.end; slot = list.next(slot + 1)) {
    expect(list.at(slot)?.name).toBe(`${list.offsetAt(slot)}`)
    offsets.push(list.offsetAt(slot))
  }
  return offsets
}

/** All offsets below `before`, as a reader walks them back. */
function offsetsBack(list: OffsetList<Thing>, before: number): number[] {
  const offsets: number[] = []
  for (let slot = list.previous(list.seek(before - 1) - 1); slot >= 0; slot = list.previous(slot - 1)) {
    offsets.push(list.offsetAt(slot))
  }
  return offsets
}

describe("a list of offsets", () => {
  test("holds what was pushed, in order, and finds where to read on", () => {
    const list = new OffsetList<Thing>()
    for (const offset of [2, 3, 7, 11]) push(list, offset)
    expect(offsetsOf(list)).toEqual([2, 3, 7, 11])
    expect(offsetsOf(list, 3)).toEqual([7, 11])
    expect(offsetsOf(list, 5)).toEqual([7, 11])
    expect(offsetsOf(list, 11)).toEqual([])
    expect(offsetsBack(list, 12)).toEqual([11, 7, 3, 2])
    expect(offsetsBack(list, 7)).toEqual([3, 2])
    expect(offsetsBack(list, 2)).toEqual([])
    expect([list.size, list.first()?.name]).toEqual([4, "2"])
    expect([0, 1, 3, 4, 5].map((count) => list.offsetFromEnd(count))).toEqual([
      undefined,
      11,
      3,
      2,
      undefined,
    ])
  })

  test("leaves the others where they are when one is removed", () => {
    const list = new OffsetList<Thing>()
    for (const offset of [2, 3, 7, 11]) push(list, offset)
    for (const offset of [2, 7, 7, 5, 100]) list.remove(offset)
    expect(offsetsOf(list)).toEqual([3, 11])
    expect(offsetsBack(list, 100)).toEqual([11, 3])
    expect([list.size, list.first()?.name]).toEqual([2, "3"])
  })

  test("finds the offset of the last so many, also when the first ones were removed", () => {
    const list = new OffsetList<Thing>()
    for (let offset = 1; offset <= 500; offset++) {
      push(list, offset * 3)
      if (offset > 100) list.remove((offset - 100) * 3)
    }
    for (const count of [1, 2, 50, 100]) expect(list.offsetFromEnd(count)).toBe((501 - count) * 3)
    expect(list.offsetFromEnd(101)).toBeUndefined()
  })

  test("is empty, and can be filled again, when everything was removed", () => {
    const list = new OffsetList<Thing>()
    for (let offset = 1; offset <= 1_000; offset++) push(list, offset)
    for (let offset = 1; offset <= 1_000; offset++) list.remove(offset)
    expect([list.first(), list.size, offsetsBack(list, 2_000)]).toEqual([undefined, 0, []])
    push(list, 1_001)
    expect(offsetsOf(list)).toEqual([1_001])
  })

  test.each([1, 2, 3, 4, 5])("does what a plain array does (seed %i)", (seed) => {
    const dice = seeded(seed)
    const list = new OffsetList<Thing>()
    let expected: number[] = []
    for (let offset = 1; offset <= 3_000; offset++) {
      if (dice.chance(0.55)) {
        push(list, offset)
        expected.push(offset)
      } else if (expected.length > 0) {
        const removed = dice.chance(0.5) ? expected[0] : dice.pick(expected)
        list.remove(removed ?? 0)
        expected = expected.filter((other) => other !== removed)
      }
      if (offset % 97 !== 0) continue
      const middle = dice.between(0, offset)
      expect(offsetsOf(list, middle)).toEqual(expected.filter((other) => other > middle))
      expect(offsetsBack(list, middle)).toEqual(expected.filter((other) => other < middle).reverse())
      expect([list.size, list.first()?.name]).toEqual([expected.length, expected[0] && `${expected[0]}`])
    }
  })
})
