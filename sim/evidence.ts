import type { Entry, Head } from "holdfast/testing"
import { EVENTS, placeOf } from "./collections.ts"
import type { Database } from "./database.ts"
import type { Ledger } from "./ledger.ts"
import type { Profile } from "./profile.ts"
import type { Life, TrueEntry, Truth } from "./truth.ts"

/** What is left of a run for the checks to look at. */
export interface Evidence {
  readonly profile: Profile
  readonly truth: Truth
  readonly ledger: Ledger
  readonly database: Database
  /** What the log itself holds in the end, by channel. */
  readonly kept: ReadonlyMap<string, { readonly head: Head; readonly entries: readonly Entry[] }>
  /**
   * Who is in the presence of each channel, member by operation; only where the run can know. An undefined operation: the
   * member may be there or not.
   */
  readonly present: ReadonlyMap<string, ReadonlyMap<string, string | undefined>> | undefined
}

/** Says what is wrong, each as one sentence that begins with the guarantee. */
export type Check = (evidence: Evidence) => string[]

/** The fold of a life: the latest entry of each key that has a value, by place. */
export function foldOf({ entries }: Life, isWanted: (collection: string) => boolean): Map<string, TrueEntry> {
  const fold = new Map<string, TrueEntry>()
  for (const entry of entries) {
    const { operation, collection, key } = entry
    if (collection === EVENTS || !isWanted(collection)) continue
    if (operation === "remove") fold.delete(placeOf(collection, key))
    else fold.set(placeOf(collection, key), entry)
  }
  return fold
}
