import { describe, expect, test } from "vitest"
import { missed } from "../../src/log/cursor.ts"
import type { Head } from "../../src/log/log.ts"

const head: Head = { epoch: "e", top: 100, base: 10, floors: { events: 40, messages: 70 } }

const at = (offset: number, epoch = "e") => ({ epoch, offset })

describe("a cursor", () => {
  test("of another epoch has missed all up to the base", () => {
    for (const offset of [0, 50, 100, 1_000]) {
      const miss = { reason: "new-epoch", collections: undefined, to: at(10) }
      expect(missed(at(offset, "other"), head)).toEqual(miss)
    }
  })

  test("above the top stands where the log has not been", () => {
    const miss = { reason: "unknown-position", collections: undefined, to: at(100) }
    expect(missed(at(101), head)).toEqual(miss)
    expect(missed(at(100), head)).toBeUndefined()
  })

  test("below the base has missed what was forgotten, of any collection", () => {
    for (const offset of [0, 9]) {
      expect(missed(at(offset), head)).toEqual({ reason: "trimmed", collections: undefined, to: at(10) })
    }
    const forgotten = { epoch: "e", top: 10, base: 10, floors: {} }
    expect(missed(at(9), forgotten)?.to).toEqual(at(10))
    expect(missed(at(10), forgotten)).toBeUndefined()
  })

  test("below floors has missed something of these collections, up to the highest", () => {
    const both = { reason: "trimmed", collections: ["events", "messages"], to: at(70) }
    for (const offset of [10, 39]) expect(missed(at(offset), head)).toEqual(both)
    const one = { reason: "trimmed", collections: ["messages"], to: at(70) }
    for (const offset of [40, 69]) expect(missed(at(offset), head)).toEqual(one)
    for (const offset of [70, 71, 100]) expect(missed(at(offset), head)).toBeUndefined()
  })

  test("needs nothing of a collection up to where that is covered", () => {
    const covered = (messages: number) => missed(at(50), head, new Map([["messages", messages]]))
    expect(covered(70)).toBeUndefined()
    expect(covered(99)).toBeUndefined()
    expect(covered(69)?.collections).toEqual(["messages"])
    expect(covered(20)?.collections).toEqual(["messages"])
    const other = missed(at(20), head, new Map([["messages", 80]]))
    expect(other).toEqual({ reason: "trimmed", collections: ["events"], to: at(40) })
  })

  test("is not helped by what is covered when the base or the epoch is another", () => {
    const covered = new Map([
      ["events", 100],
      ["messages", 100],
    ])
    expect(missed(at(5), head, covered)?.reason).toBe("trimmed")
    expect(missed(at(50, "other"), head, covered)?.reason).toBe("new-epoch")
    expect(missed(at(50), head, covered)).toBeUndefined()
  })

  test("has missed nothing of a log that has lost nothing", () => {
    const whole = { epoch: "e", top: 100, base: 0, floors: {} }
    for (const offset of [0, 1, 100]) expect(missed(at(offset), whole)).toBeUndefined()
  })
})
