import { describe, expect, test } from "vitest"
import type { Entry } from "../../src/log/log.ts"
import { OffsetList } from "../../src/logs/memory/offset-list.ts"
import { seeded } from "../../src/testing/seeded.ts"

function entry(offset: number): Entry {
  return { offset, kind: "set", name: "", key: "", body: new Uint8Array(0), at: 0 }
}

/** All offsets behind `after`, as a reader walks them. */
function offsetsOf(list: OffsetList, after = 0): number[] {
  const offsets: number[] = []
  for (let slot = list.next(list.seek(after)); ; slot = list.next(slot + 1)) {
    const found = list.at(slot)
    if (found === undefined) return offsets
    offsets.push(found.offset)
  }
}

describe("a list of offsets", () => {
  test("holds what was pushed, in order, and finds where to read on", () => {
    const list = new OffsetList()
    for (const offset of [2, 3, 7, 11]) list.push(entry(offset))
    expect(offsetsOf(list)).toEqual([2, 3, 7, 11])
    expect(offsetsOf(list, 3)).toEqual([7, 11])
    expect(offsetsOf(list, 5)).toEqual([7, 11])
    expect(offsetsOf(list, 11)).toEqual([])
    expect(list.size).toBe(4)
    expect(list.first()?.offset).toBe(2)
    expect(list.fromEnd(1)?.offset).toBe(11)
    expect(list.fromEnd(3)?.offset).toBe(3)
  })

  test("leaves the others where they are when one is removed", () => {
    const list = new OffsetList()
    for (const offset of [2, 3, 7, 11]) list.push(entry(offset))
    for (const offset of [2, 7, 7, 5, 100]) list.remove(offset)
    expect(offsetsOf(list)).toEqual([3, 11])
    expect(list.first()?.offset).toBe(3)
    expect(list.size).toBe(2)
  })

  test("is empty, and can be filled again, when everything was removed", () => {
    const list = new OffsetList()
    for (let offset = 1; offset <= 1_000; offset++) list.push(entry(offset))
    for (let offset = 1; offset <= 1_000; offset++) list.remove(offset)
    expect(list.first()).toBeUndefined()
    expect(offsetsOf(list)).toEqual([])
    list.push(entry(1_001))
    expect(offsetsOf(list)).toEqual([1_001])
  })

  test.each([1, 2, 3, 4, 5])("does what a plain array does (seed %i)", (seed) => {
    const dice = seeded(seed)
    const list = new OffsetList()
    let expected: number[] = []
    for (let offset = 1; offset <= 3_000; offset++) {
      if (dice.chance(0.55)) {
        list.push(entry(offset))
        expected.push(offset)
      } else if (expected.length > 0) {
        const removed = dice.chance(0.5) ? expected[0] : dice.pick(expected)
        list.remove(removed ?? 0)
        expected = expected.filter((other) => other !== removed)
      }
      if (offset % 97 !== 0) continue
      const after = dice.between(0, offset)
      expect(offsetsOf(list, after)).toEqual(expected.filter((other) => other > after))
      expect(list.first()?.offset).toBe(expected[0])
      expect(list.size).toBe(expected.length)
    }
  })
})
