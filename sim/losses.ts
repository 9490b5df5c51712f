import { EVENTS, placeOf } from "./collections.ts"
import { keepOf, type Profile } from "./profile.ts"
import type { Life, TrueEntry } from "./truth.ts"

/** Says of the entries of one life of a channel which of them the log may have dropped by a time. */
export class Losses {
  readonly #life: Life
  readonly #profile: Profile
  /** By collection, the events or the removals, and of how many bytes they are up to each. */
  readonly #sorts = new Map<string, { readonly entries: TrueEntry[]; readonly bytes: number[] }>()
  readonly #ranks = new Map<number, number>()
  /** By place, in order. */
  readonly #changes = new Map<string, TrueEntry[]>()

  constructor(life: Life, profile: Profile) {
    this.#life = life
    this.#profile = profile
    for (const entry of life.entries) {
      if (entry.collection !== EVENTS) this.#addChange(entry)
      if (entry.collection === EVENTS || entry.operation === "remove") this.#rank(entry)
    }
  }

  /** The latest change of each key at that time. */
  *latest(atMs: number): Generator<readonly [place: string, entry: TrueEntry]> {
    for (const [place, changes] of this.#changes) {
      const entry = changes[appendedBy(changes, atMs) - 1]
      if (entry !== undefined) yield [place, entry]
    }
  }

  /** Whether a cursor that has passed it without a word at that time was owed it: it was there, and no change of its key came after it. */
  isOwed(entry: TrueEntry, atMs: number): boolean {
    const { collection, key } = entry
    if (collection !== EVENTS) {
      const changes = this.#changes.get(placeOf(collection, key)) as TrueEntry[]
      if (changes[appendedBy(changes, atMs) - 1] !== entry) return false
    }
    return !this.mayBeLost(entry, atMs)
  }

  /** Whether the log may have dropped it by then, so that a subscriber that has not seen it is owed a gap and no more. */
  mayBeLost(entry: TrueEntry, atMs = Number.POSITIVE_INFINITY): boolean {
    const rank = this.#ranks.get(entry.offset)
    // a key that has a value keeps it
    if (rank === undefined) return false
    const { events, forMs, bytes, removalsForMs } = keepOf(this.#profile, this.#life.channel)
    const isEvent = entry.collection === EVENTS
    if (entry.at < this.#life.latestAt.at(atMs) - (isEvent ? forMs : removalsForMs)) return true
    const sort = this.#sorts.get(entry.collection) as { entries: TrueEntry[]; bytes: number[] }
    const count = appendedBy(sort.entries, atMs)
    if (!isEvent) return count - rank > this.#profile.tombstonesMax
    const sum = (sort.bytes[count - 1] ?? 0) - (sort.bytes[rank - 1] ?? 0)
    return count - rank > events || sum > bytes
  }

  #addChange(entry: TrueEntry): void {
    const place = placeOf(entry.collection, entry.key)
    const changes = this.#changes.get(place)
    if (changes === undefined) this.#changes.set(place, [entry])
    else changes.push(entry)
  }

  #rank(entry: TrueEntry): void {
    const sort = this.#sorts.get(entry.collection) ?? { entries: [], bytes: [] }
    this.#sorts.set(entry.collection, sort)
    this.#ranks.set(entry.offset, sort.entries.length)
    sort.bytes.push((sort.bytes.at(-1) ?? 0) + entry.body.byteLength)
    sort.entries.push(entry)
  }
}

const known = new WeakMap<Life, Losses>()

/** A life is not added to any more when it is looked at. */
export function lossesOf(life: Life, profile: Profile): Losses {
  const losses = known.get(life) ?? new Losses(life, profile)
  known.set(life, losses)
  return losses
}

/** How many of these had been appended by then. */
function appendedBy(entries: readonly TrueEntry[], atMs: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle] as TrueEntry).appendedAtMs <= atMs) low = middle + 1
    else high = middle
  }
  return low
}
