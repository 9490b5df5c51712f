import { describe, expect, test } from "vitest"
import { DedupeTable } from "../../src/logs/memory/dedupe-table.ts"

const once = (key: string, windowMs = 100) => ({ key, fingerprint: `of ${key}`, windowMs })

describe("a table of idempotency keys", () => {
  test("knows a key until its window has passed", () => {
    const table = new DedupeTable(10)
    table.add(once("a"), 7, 1_000)
    expect(table.find(once("a"), 1_099)).toBe(7)
    expect(table.find(once("a"), 1_100)).toBeUndefined()
    expect(table.find(once("b"), 1_000)).toBeUndefined()
  })

  test("throws when a key comes with other content", () => {
    const table = new DedupeTable(10)
    table.add(once("a"), 7, 1_000)
    const other = { ...once("a"), fingerprint: "other" }
    expect(() => table.find(other, 1_050)).toThrow(expect.objectContaining({ code: "idempotency_conflict" }))
    expect(table.find(other, 1_100)).toBeUndefined()
  })

  test("lets go of what has expired, and keeps what came again since", () => {
    const table = new DedupeTable(10)
    table.add(once("a"), 1, 0)
    table.add(once("b"), 2, 50)
    table.add(once("a"), 3, 110)
    expect(table.size).toBe(2)
    table.forget(160)
    expect(table.size).toBe(1)
    expect(table.find(once("a"), 160)).toBe(3)
  })

  test("stays within its limit, however many come", () => {
    const table = new DedupeTable(100)
    for (let offset = 1; offset <= 10_000; offset++) table.add(once(`${offset}`, 1e9), offset, offset)
    expect(table.size).toBe(100)
    expect(table.find(once("9901"), 10_000)).toBe(9_901)
    expect(table.find(once("9900"), 10_000)).toBeUndefined()
  })
})
