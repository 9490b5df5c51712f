import type { Plant } from "../plant.ts"
import { deliversDuplicates, resolvesWhatFailed } from "./client.ts"
import { dropsFramesWhenBehind, keepsMembersThatAreGone } from "./host.ts"
import { reusesAnOffset, skipsTheDedupe, trimsOneTooMany } from "./log.ts"
import {
  acknowledgesBeforeTheAppend,
  deliversBeforeTheLogOrdered,
  forgetsTheEpoch,
  losesTheFirstNotification,
  saysRecoveredOnATrimmedLog,
} from "./port.ts"
import {
  forgetsToResend,
  keepsADeletedKey,
  losesTheEntryBetweenSnapshotAndLive,
  resendsUnderAnotherKey,
  resumesAtTheTail,
  sendsACallTwice,
  swallowsAGap,
  swapsTwoEvents,
} from "./wire.ts"

/** Known bugs. Each is made anew for each run. */
const plants = {
  "skips-the-dedupe": skipsTheDedupe,
  "trims-one-too-many": trimsOneTooMany,
  "reuses-an-offset": reusesAnOffset,
  "acknowledges-before-the-append": acknowledgesBeforeTheAppend,
  "delivers-before-the-log-ordered": deliversBeforeTheLogOrdered,
  "says-recovered-on-a-trimmed-log": saysRecoveredOnATrimmedLog,
  "forgets-the-epoch": forgetsTheEpoch,
  "loses-the-first-notification": losesTheFirstNotification,
  "drops-frames-when-behind": dropsFramesWhenBehind,
  "keeps-members-that-are-gone": keepsMembersThatAreGone,
  "loses-the-entry-between-snapshot-and-live": losesTheEntryBetweenSnapshotAndLive,
  "swallows-a-gap": swallowsAGap,
  "swaps-two-events": swapsTwoEvents,
  "keeps-a-deleted-key": keepsADeletedKey,
  "resumes-at-the-tail": resumesAtTheTail,
  "forgets-to-resend": forgetsToResend,
  "resends-under-another-key": resendsUnderAnotherKey,
  "sends-a-call-twice": sendsACallTwice,
  "delivers-duplicates": deliversDuplicates,
  "resolves-what-failed": resolvesWhatFailed,
} satisfies Readonly<Record<string, () => Plant>>

export type PlantName = keyof typeof plants

export const plantNames = Object.keys(plants) as readonly PlantName[]

export function isPlanted(name: string): name is PlantName {
  return Object.hasOwn(plants, name)
}

export function plantOf(name: PlantName): Plant {
  return plants[name]()
}
