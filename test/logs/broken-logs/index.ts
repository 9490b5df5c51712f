import { brokenAccounts } from "./accounts.ts"
import { brokenAppends } from "./appending.ts"
import type { BrokenLogs } from "./broken.ts"
import { brokenConditions } from "./conditions.ts"
import { brokenDedupes } from "./deduping.ts"
import { brokenExtends } from "./extending.ts"
import { brokenForgetting } from "./forgetting.ts"
import { brokenLeases } from "./leases.ts"
import { brokenReads } from "./reading.ts"
import { brokenBackReads } from "./reading-back.ts"
import { brokenRetentions } from "./retaining.ts"
import { brokenWatches } from "./watching.ts"

/** Each is wrong in one way that a real log might be. */
export const brokenLogs: BrokenLogs = {
  ...brokenAppends,
  ...brokenReads,
  ...brokenBackReads,
  ...brokenExtends,
  ...brokenRetentions,
  ...brokenConditions,
  ...brokenLeases,
  ...brokenDedupes,
  ...brokenAccounts,
  ...brokenForgetting,
  ...brokenWatches,
}
