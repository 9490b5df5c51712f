import type { Log } from "../../log/log.ts"

/** A log to be tested, and how to end it. */
export interface LogUnderTest {
  readonly log: Log
  /** Lets time pass by the log's clock. Absent: that clock is real, and checks of leases wait for it. */
  readonly advance?: ((ms: number) => Promise<void>) | undefined
  /** For a log that outlives its process: closes it, and opens what it kept. */
  readonly reopen?: (() => Promise<Log>) | undefined
  /** Closes what is open and removes what was kept. */
  readonly destroy: () => Promise<void>
}

/** One statement about a log. `run` rejects when it does not hold. */
export interface LogCheck {
  readonly name: string
  readonly run: () => Promise<void>
}

/** Makes a check that gets a fresh log and destroys it afterwards. */
export type Check = (name: string, body: (log: Log, under: LogUnderTest) => Promise<void>) => LogCheck

/** Gives a check its log, and destroys it when the check has ended, whether it holds or not. */
export function checksOf(make: () => Promise<LogUnderTest>): Check {
  return (name, body) => ({
    name,
    run: async () => {
      const under = await make()
      try {
        await body(under.log, under)
      } finally {
        await under.destroy()
      }
    },
  })
}
