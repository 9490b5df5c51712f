import { describe, expect, test } from "vitest"
import { memoryLog } from "../../src/logs/memory/index.ts"
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

/** What the broken logs are made of is no fault of itself. */
const slowLog = broken("nothing", (log) => ({
  append: async (channel, operation, options) => {
    await log.head(channel)
    return log.append(channel, operation, options)
  },
}))

const lateLog = broken("nothing", (log) => ({
  watch: async (channel, listener) => {
    let last: Promise<unknown> = Promise.resolve()
    let isStopped = false
    const stop = await log.watch(channel, (batch) => {
      last = last
        .then(() => log.head(channel))
        .then(() => isStopped || listener(batch))
        .catch(() => undefined)
    })
    return () => {
      isStopped = true
      stop()
    }
  },
}))

const checksOf = (make: () => LogUnderTest, seeds: readonly number[] = []) =>
  logContract(async () => make(), { seeds })

const soundLogs: Readonly<Record<string, () => LogUnderTest>> = {
  "a sound log": soundLog,
  "a sound log by the clock of the machine": () => {
    const log = memoryLog({ onWatcherError: () => undefined })
    return { log, destroy: () => log.close() }
  },
  "a sound log that is opened again": () => {
    const sound = soundLog()
    return { ...sound, reopen: async () => sound.log }
  },
  "a sound log whose appends take their time": slowLog.make,
  "a sound log that calls its watchers later": lateLog.make,
}

test.each(Object.entries(soundLogs))(
  "the contract of logs finds nothing wrong with %s",
  { timeout: 60_000 },
  async (_, make) => {
    const failures: string[] = []
    for (const check of checksOf(make, [1, 2, 3])) {
      const outcome = await outcomeOf(check)
      if (outcome !== undefined) failures.push(`${check.name}: ${outcome}`)
    }
    expect(failures).toEqual([])
  },
)

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
