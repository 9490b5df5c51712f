import { accountChecks } from "./log-contract/accounts.ts"
import { appendingChecks } from "./log-contract/appending.ts"
import { changingChecks } from "./log-contract/changing.ts"
import { closingChecks } from "./log-contract/closing.ts"
import { comparingChecks } from "./log-contract/comparing.ts"
import { dedupingChecks } from "./log-contract/deduping.ts"
import { extendingChecks } from "./log-contract/extending.ts"
import { checksOf, type LogCheck, type LogUnderTest } from "./log-contract/fixture.ts"
import { forgettingChecks } from "./log-contract/forgetting.ts"
import { growingChecks } from "./log-contract/growing.ts"
import { idempotencyQuotaChecks } from "./log-contract/idempotency-quotas.ts"
import { leaseChecks } from "./log-contract/leases.ts"
import { modelChecks } from "./log-contract/model-run.ts"
import { namingChecks } from "./log-contract/names.ts"
import { quietChecks } from "./log-contract/quiet.ts"
import { readingChecks } from "./log-contract/reading.ts"
import { readingBackChecks } from "./log-contract/reading-back.ts"
import { reopeningChecks } from "./log-contract/reopening.ts"
import { retainingFactsChecks } from "./log-contract/retaining-facts.ts"
import { retainingKeysChecks } from "./log-contract/retaining-keys.ts"
import { versionChecks } from "./log-contract/versions.ts"
import { watchingChecks } from "./log-contract/watching.ts"

export type { LogCheck, LogUnderTest } from "./log-contract/fixture.ts"

export interface LogContractOptions {
  /** Each seed is a random run that is compared with a model. Default: 1 to 10. */
  readonly seeds?: readonly number[] | undefined
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
 * `make` is called once per check and has to give a log without entries. A check that waits for what never arrives
 * does not settle: the test runner's timeout ends it.
 */
export function logContract(
  make: () => Promise<LogUnderTest>,
  options: LogContractOptions = {},
): readonly LogCheck[] {
  const check = checksOf(make)
  return [
    ...appendingChecks(check),
    ...namingChecks(check),
    ...changingChecks(check),
    ...extendingChecks(check),
    ...growingChecks(check),
    ...readingChecks(check),
    ...readingBackChecks(check),
    ...retainingFactsChecks(check),
    ...retainingKeysChecks(check),
    ...comparingChecks(check),
    ...versionChecks(check),
    ...quietChecks(check),
    ...leaseChecks(check),
    ...dedupingChecks(check),
    ...accountChecks(check),
    ...idempotencyQuotaChecks(check),
    ...forgettingChecks(check),
    ...watchingChecks(check),
    ...closingChecks(check),
    ...reopeningChecks(check),
    ...modelChecks(check, options.seeds ?? [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
  ]
}
