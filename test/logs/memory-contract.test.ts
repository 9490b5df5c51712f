import { describe, test } from "vitest"
import { type MemoryLogOptions, memoryLog } from "../../src/logs/memory/index.ts"
import { logContract } from "../../src/testing/log-contract.ts"

const variants: Readonly<Record<string, MemoryLogOptions>> = {
  "the memory log": {},
  "the memory log with few tombstones": { tombstonesPerCollectionMax: 2 },
}

describe.each(Object.entries(variants))("%s keeps the contract of logs:", (_, options) => {
  const make = async () => {
    let nowMs = Date.UTC(2030, 0, 1)
    const log = memoryLog({ onWatcherError: () => undefined, now: () => nowMs, ...options })
    const advance = async (ms: number) => {
      nowMs += ms
    }
    return { log, advance, destroy: () => log.close() }
  }
  for (const { name, run } of logContract(make)) test(name, run)
})
