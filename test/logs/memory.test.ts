import { describe, expect, test } from "vitest"
import { memoryLog } from "../../src/logs/memory.ts"
import { logContract } from "../../src/testing/log-contract.ts"

const ignore = () => undefined

describe("the memory log keeps the contract of logs:", () => {
  const make = async () => {
    const log = memoryLog({ onWatcherError: ignore })
    return { log, destroy: () => log.close() }
  }
  for (const { name, run } of logContract(make)) test(name, run)
})

describe("the memory log", () => {
  test("placeholder", () => {
    expect(1).toBe(1)
  })
})
