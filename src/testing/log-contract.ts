import { appendingChecks } from "./log-contract/appending.ts"
import { closingChecks } from "./log-contract/closing.ts"
import { dedupingChecks } from "./log-contract/deduping.ts"
import { checksOf, type LogCheck, type LogUnderTest } from "./log-contract/fixture.ts"
import { modelChecks } from "./log-contract/model.ts"
import { readingChecks } from "./log-contract/reading.ts"
import { replacingChecks } from "./log-contract/replacing.ts"
import { retainingChecks } from "./log-contract/retaining.ts"
import { watchingChecks } from "./log-contract/watching.ts"

export type { LogCheck, LogUnderTest } from "./log-contract/fixture.ts"

export interface LogContractOptions {
  /** Each seed is a random run that is compared with a model. Default: 1 to 10. */
  readonly seeds?: readonly number[]
}

/**
 * What every log has to do, as a list of checks that fit any test runner:
 *
 * ```ts
 * describe("my log", () => {
 *   for (const { name, run } of logContract(async () => ({ log: myLog(), destroy: async () => {} }))) test(name, run)
 * })
 * ```
 *
 * `make` is called once per check and has to give a log without entries. A check that waits for what it is never told
 * does not settle: the test runner's timeout ends it.
 */
export function logContract(
  make: () => Promise<LogUnderTest>,
  options: LogContractOptions = {},
): readonly LogCheck[] {
  const check = checksOf(make)
  return [
    ...appendingChecks(check),
    ...readingChecks(check),
    ...retainingChecks(check),
    ...dedupingChecks(check),
    ...replacingChecks(check),
    ...watchingChecks(check),
    ...closingChecks(check),
    ...modelChecks(check, options.seeds ?? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
  ]
}
