import type { Entry, Head } from "holdfast/testing"
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

/** Whether the log may have dropped this entry by now, so that whoever has not seen it is owed a gap and no more. */
export function mayBeLost({ profile }: Evidence, life: Life, entry: TrueEntry): boolean {
  const { events = 1_000, forMs = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = profile.keep
  if (entry.kind === "set" || entry.kind === "join") return false
  if (entry.at < life.latestAt - forMs) return true
  const { count, sum } = newestFrom(life).get(entry.offset) ?? { count: 0, sum: 0 }
  return entry.kind === "event" ? count > events || sum > bytes : count > profile.tombstonesMax
}

interface Newest {
  /** How many of its sort there are from this one on, and of how many bytes. */
  readonly count: number
  readonly sum: number
}

const newest = new WeakMap<Life, ReadonlyMap<number, Newest>>()

/** By offset, of events and of deletions. A life is not added to any more when it is looked at. */
function newestFrom(life: Life): ReadonlyMap<number, Newest> {
  const known = newest.get(life)
  if (known !== undefined) return known
  const found = new Map<number, Newest>()
  let [event, tombstone]: [Newest, Newest] = [
    { count: 0, sum: 0 },
    { count: 0, sum: 0 },
  ]
  for (const entry of life.entries.toReversed()) {
    const { byteLength } = entry.body
    if (entry.kind === "event") {
      event = { count: event.count + 1, sum: event.sum + byteLength }
      found.set(entry.offset, event)
    } else if (isTombstone(entry)) {
      tombstone = { count: tombstone.count + 1, sum: tombstone.sum + byteLength }
      found.set(entry.offset, tombstone)
    }
  }
  newest.set(life, found)
  return found
}

/** The newest deletion that the log may have forgotten: a log gives no history from below it. */
export function forgottenUpTo(evidence: Evidence, life: Life): number {
  const forgotten = life.entries.findLast((entry) => isTombstone(entry) && mayBeLost(evidence, life, entry))
  return forgotten?.offset ?? 0
}

export function isTombstone({ kind }: Pick<TrueEntry, "kind">): boolean {
  return kind === "delete" || kind === "left"
}

/** The fold of a life: the latest entry of each key of state, and of each member. */
export function foldOf(life: Life, facet: "state" | "presence"): Map<string, TrueEntry> {
  const fold = new Map<string, TrueEntry>()
  for (const entry of life.entries) {
    const inState = entry.kind === "set" || entry.kind === "delete"
    if (entry.kind === "event" || inState !== (facet === "state")) continue
    if (isTombstone(entry)) fold.delete(entry.key)
    else fold.set(entry.key, entry)
  }
  return fold
}
