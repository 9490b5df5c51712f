import { describe, expect, test } from "vitest"
import { IdempotencyKeys } from "../../src/logs/memory/idempotency-keys.ts"
import { account } from "../../src/testing/log-contract/operations.ts"

const once = (key: string, windowMs = 100) => ({ key, fingerprint: `of ${key}`, windowMs })

describe("idempotency keys in memory", () => {
  test("are known until their window is over", () => {
    const keys = new IdempotencyKeys()
    keys.add(once("a"), undefined, 7, 1_000)
    expect(keys.find(once("a"), 1_099)).toBe(7)
    expect(keys.find(once("a"), 1_100)).toBeUndefined()
    expect(keys.find(once("b"), 1_000)).toBeUndefined()
  })

  test("conflict when they come with other content", () => {
    const keys = new IdempotencyKeys()
    keys.add(once("a"), undefined, 7, 1_000)
    const other = { ...once("a"), fingerprint: "other" }
    expect(() => keys.find(other, 1_050)).toThrow(expect.objectContaining({ code: "idempotency_conflict" }))
    expect(keys.find(other, 1_100)).toBeUndefined()
  })

  test("leave when they have expired, but for those that have come again", () => {
    const keys = new IdempotencyKeys()
    keys.add(once("a"), undefined, 1, 0)
    keys.add(once("b"), undefined, 2, 50)
    keys.add(once("a"), undefined, 3, 110)
    expect(keys.size).toBe(2)
    keys.forget(160)
    expect(keys.size).toBe(1)
    expect(keys.find(once("a"), 160)).toBe(3)
  })

  test("leave by their own windows, in whatever order they came", () => {
    const keys = new IdempotencyKeys()
    for (let index = 0; index < 1_000; index++)
      keys.add(once(`${index}`, 1 + (index % 7)), "ada", index, index)
    keys.forget(1_000)
    expect(keys.size).toBe([...Array(1_000).keys()].filter((index) => index + 1 + (index % 7) > 1_000).length)
    keys.forget(1_010)
    expect(keys.size).toBe(0)
    keys.checkSpace(account("ada", { idempotencyKeysMax: 1 }), 1, 1_010)
  })

  test("have space until the channel or the account is full, and again when some expire", () => {
    const keys = new IdempotencyKeys()
    const ada = account("ada", { idempotencyKeysMax: 2 })
    keys.add(once("a"), "ada", 1, 0)
    keys.add(once("b", 200), "ada", 2, 0)
    keys.add(once("c", 200), undefined, 3, 0)
    const spent = expect.objectContaining({ code: "quota_exceeded", limit: 2 })
    const full = expect.objectContaining({ code: "log_full", limit: 3 })
    expect(() => keys.checkSpace(ada, 10, 50)).toThrow(spent)
    expect(() => keys.checkSpace(undefined, 3, 50)).toThrow(full)
    expect(() => keys.checkSpace(ada, 3, 50)).toThrow(spent)
    keys.checkSpace(account("bob", { idempotencyKeysMax: 1 }), 10, 50)
    keys.checkSpace(ada, 3, 100)
    expect(keys.size).toBe(2)
  })

  test("count once for an account when they come again after they have expired", () => {
    const keys = new IdempotencyKeys()
    const ada = account("ada", { idempotencyKeysMax: 2 })
    for (const nowMs of [0, 100, 200, 300]) keys.add(once("a"), "ada", nowMs, nowMs)
    keys.checkSpace(ada, 10, 300)
    keys.add(once("a"), "bob", 400, 400)
    keys.add(once("b"), "ada", 401, 400)
    keys.checkSpace(ada, 10, 400)
  })
})
