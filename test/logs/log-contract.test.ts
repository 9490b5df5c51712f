import { describe, expect, test } from "vitest"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { type LogCheck, type LogUnderTest, logContract } from "../../src/testing/log-contract.ts"
import { brokenLogs } from "./broken-logs.ts"

/**
 * The memory log waits for nothing but itself, so a check that has not settled when the event loop comes round waits for
 * what will never come.
 */
async function outcomeOf({ run }: LogCheck): Promise<string | undefined> {
  const settled = run().then(
    () => undefined,
    (error: unknown) => String(error),
  )
  const hung = new Promise<string>((resolve) =>
    setImmediate(() => setImmediate(() => resolve("never settled"))),
  )
  return await Promise.race([settled, hung])
}

async function failuresOf(make: () => LogUnderTest): Promise<string[]> {
  const failures: string[] = []
  for (const check of logContract(async () => make(), { seeds: [1, 2, 3] })) {
    const outcome = await outcomeOf(check)
    if (outcome !== undefined) failures.push(`${check.name}: ${outcome}`)
  }
  return failures
}

test("the contract of logs finds nothing wrong with a sound log", async () => {
  const sound = () => {
    const log = memoryLog({ onWatcherError: () => undefined })
    return { log, destroy: () => log.close() }
  }
  expect(await failuresOf(sound)).toEqual([])
})

describe("the contract of logs finds a log that", () => {
  test.each(Object.entries(brokenLogs))("%s", async (_, make) => {
    expect(await failuresOf(make)).not.toEqual([])
  })

  test("and tells the checks apart by name", () => {
    const names = logContract(async () => ({ log: {} as never, destroy: async () => undefined })).map(
      ({ name }) => name,
    )
    expect(new Set(names).size).toBe(names.length)
  })
})
