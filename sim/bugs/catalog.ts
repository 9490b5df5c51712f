import type { InjectedBug } from "../injected-bug.ts"
import { deliversDuplicates, resolvesWhatFailed } from "./client.ts"
import { dropsFramesWhenBehind, keepsMembersThatAreGone } from "./host.ts"
import {
  acceptsALowerVersion,
  endsALeaseTooEarly,
  evictsIdempotencyKeys,
  reusesAnOffset,
  sharesAQuota,
  skipsTheDedupe,
  trimsOneTooMany,
} from "./log.ts"
import {
  acknowledgesBeforeTheAppend,
  appliesAFloorToAll,
  deliversBeforeTheLogOrdered,
  forgetsTheEpoch,
  keepsWhatASnapshotLost,
  lacksWhatASnapshotMet,
  losesTheFirstNotification,
  missesThatAChannelWasForgotten,
  saysRecoveredOnATrimmedLog,
} from "./port.ts"
import {
  forgetsToResend,
  keepsADeletedKey,
  keepsPartsOfARestart,
  leadsAGapTooFar,
  losesTheEntryBetweenSnapshotAndLive,
  namesTheWrongCollection,
  omitsACollection,
  resendsUnderAnotherKey,
  resumesAtTheTail,
  sendsACallTwice,
  swallowsAGap,
  swapsTwoEvents,
} from "./wire.ts"

/** Known bugs. Each is made anew for each run. */
const bugs = {
  "skips-the-dedupe": skipsTheDedupe,
  "evicts-idempotency-keys": evictsIdempotencyKeys,
  "shares-a-quota": sharesAQuota,
  "trims-one-too-many": trimsOneTooMany,
  "reuses-an-offset": reusesAnOffset,
  "accepts-a-lower-version": acceptsALowerVersion,
  "ends-a-lease-too-early": endsALeaseTooEarly,
  "acknowledges-before-the-append": acknowledgesBeforeTheAppend,
  "delivers-before-the-log-ordered": deliversBeforeTheLogOrdered,
  "says-recovered-on-a-trimmed-log": saysRecoveredOnATrimmedLog,
  "applies-a-floor-to-all": appliesAFloorToAll,
  "misses-that-a-channel-was-forgotten": missesThatAChannelWasForgotten,
  "forgets-the-epoch": forgetsTheEpoch,
  "loses-the-first-notification": losesTheFirstNotification,
  "drops-frames-when-behind": dropsFramesWhenBehind,
  "keeps-members-that-are-gone": keepsMembersThatAreGone,
  "loses-the-entry-between-snapshot-and-live": losesTheEntryBetweenSnapshotAndLive,
  "lacks-what-a-snapshot-met": lacksWhatASnapshotMet,
  "keeps-what-a-snapshot-lost": keepsWhatASnapshotLost,
  "swallows-a-gap": swallowsAGap,
  "names-the-wrong-collection": namesTheWrongCollection,
  "omits-a-collection": omitsACollection,
  "leads-a-gap-too-far": leadsAGapTooFar,
  "keeps-parts-of-a-restart": keepsPartsOfARestart,
  "swaps-two-events": swapsTwoEvents,
  "keeps-a-deleted-key": keepsADeletedKey,
  "resumes-at-the-tail": resumesAtTheTail,
  "forgets-to-resend": forgetsToResend,
  "resends-under-another-key": resendsUnderAnotherKey,
  "sends-a-call-twice": sendsACallTwice,
  "delivers-duplicates": deliversDuplicates,
  "resolves-what-failed": resolvesWhatFailed,
} satisfies Readonly<Record<string, () => InjectedBug>>

export type BugName = keyof typeof bugs

export const bugNames = Object.keys(bugs) as readonly BugName[]

export function isBug(name: string): name is BugName {
  return Object.hasOwn(bugs, name)
}

export function bugOf(name: BugName): InjectedBug {
  return bugs[name]()
}
