import { describe, expect, test } from "vitest"
import { type LogCheck, type LogUnderTest, logContract } from "../../src/testing/log-contract.ts"
import { broken, soundLog } from "./broken-logs/broken.ts"
import { brokenLogs } from "./broken-logs/index.ts"

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

const checksOf = (make: () => LogUnderTest, seeds: readonly number[] = []) =>
  logContract(async () => make(), { seeds })

test("the contract of logs finds nothing wrong with a sound log", async () => {
  const failures: string[] = []
  for (const check of checksOf(soundLog, [1, 2, 3])) {
    const outcome = await outcomeOf(check)
    if (outcome !== undefined) failures.push(`${check.name}: ${outcome}`)
  }
  expect(failures).toEqual([])
})

test("the contract of logs lets appends take their time", async () => {
  const slow = broken("nothing", (log) => ({
    append: async (channel, operation, options) => {
      await log.head(channel)
      return log.append(channel, operation, options)
    },
  }))
  for (const check of checksOf(slow.make))
    expect([check.name, await outcomeOf(check)]).toEqual([check.name, undefined])
})

describe("the contract of logs finds a log that", () => {
  test.each(Object.entries(brokenLogs))("%s", async (_, { foundBy, make }) => {
    const check = checksOf(make).find(({ name }) => name === foundBy)
    if (check === undefined) throw new Error(`there is no check "${foundBy}"`)
    expect(await outcomeOf(check)).toBeTypeOf("string")
  })

  test("and tells the checks apart by name", () => {
    const names = checksOf(soundLog, [1, 2]).map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(names.filter((name) => name.length > 80)).toEqual([])
  })
})
