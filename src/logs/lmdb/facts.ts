import type { Entry } from "../../log/entry.ts"
import type { Append, Retention } from "../../log/operation.ts"
import type { ChannelHead, CollectionHead } from "./channel-head.ts"
import { encodeFacts, factBytesMax, type Weight } from "./fact-run.ts"
import { lastNumberOf, offsetKey, PART, type Place } from "./keys.ts"
import { CHECKSUM_BYTES, SHARED_PAGE_BYTES_MAX } from "./record.ts"
import type { Store } from "./store.ts"

/** How many runs are read ahead. */
const RUNS_AHEAD = 16
/** How many facts a trim takes away at most. */
const TRIMMED_AT_ONCE_MAX = 1_000
/** When so many facts, or so many bytes, are trimmed and still in the file, they are deleted. */
const TRIMMED_MAX = 64
const TRIMMED_BYTES_MAX = 256 * 1024

/**
 * The writing side of a collection of facts. Trimming is two steps: a fact is gone at once, for the floor rises above it; from
 * the file it is deleted with others, so that a page at the far end of the collection changes once for many appends.
 */
export class Facts {
  readonly head: CollectionHead
  /** Whether the last trim has ended before all was trimmed. */
  hasMore = false
  readonly #store: Store
  readonly #place: Place
  readonly #channel: ChannelHead
  /** Facts that were appended and are not written yet. */
  #run: Entry[] = []
  #runBytes = CHECKSUM_BYTES
  /** The oldest facts, as far as they were read ahead. */
  #oldest: Weight[] = []
  #start = 0
  /** What was trimmed since something was deleted from the file; as much as possible before it is known. */
  #trimmed = TRIMMED_MAX
  #trimmedBytes = 0

  constructor(store: Store, place: Place, channel: ChannelHead, head: CollectionHead) {
    this.#store = store
    this.#place = place
    this.#channel = channel
    this.head = head
  }

  append({ collection, key, body, at }: Append, offset: number): Entry {
    const operation = "append"
    const entry = {
      offset,
      operation,
      collection,
      key,
      body,
      at,
      created: offset,
      version: 0,
      holder: "",
    } as const
    const bytes = factBytesMax(entry)
    if (this.#runBytes + bytes > SHARED_PAGE_BYTES_MAX) this.flush()
    this.#run.push(entry)
    this.#runBytes += bytes
    this.head.entries++
    this.head.bytes += body.length
    return entry
  }

  /** Trims as much as one turn may. Returns whether something was lost. */
  trim({ entries, bytes, forMs }: Retention, nowMs: number): boolean {
    const { head } = this
    const { floor } = head
    const oldestAt = nowMs - forMs
    const end = head.entries - TRIMMED_AT_ONCE_MAX
    this.hasMore = false
    while (head.entries > 0) {
      const isWithin = head.entries <= entries && head.bytes <= bytes
      if (isWithin && oldestAt === Number.NEGATIVE_INFINITY) break
      const first = this.#first()
      if (isWithin && first.at >= oldestAt) break
      this.hasMore = head.entries <= end
      if (this.hasMore) break
      this.#trim(first)
    }
    if (this.#trimmed >= TRIMMED_MAX || this.#trimmedBytes >= TRIMMED_BYTES_MAX) this.shrink()
    return head.floor > floor
  }

  /** Deletes from the file the runs of which everything is trimmed. */
  shrink(): void {
    const { floor, entries } = this.head
    if (this.#trimmed === 0 || floor === 0) return
    this.flush()
    const [start, end] = [0, floor + 1].map((offset) => offsetKey(this.#place, PART.facts, offset))
    const runs = [...this.#store.entries.getKeys({ start, end } as { start: Buffer; end: Buffer })]
    // of the last one, the end may stand above the floor
    if (entries > 0) runs.pop()
    for (const run of runs) this.#store.remove(offsetKey(this.#place, PART.facts, lastNumberOf(run)))
    this.#trimmed = 0
    this.#trimmedBytes = 0
  }

  /** Writes what was appended. Has to be called before the transaction ends. */
  flush(): void {
    const first = this.#run[0]
    if (first === undefined) return
    this.#store.entries.putSync(offsetKey(this.#place, PART.facts, first.offset), encodeFacts(this.#run))
    this.#run = []
    this.#runBytes = CHECKSUM_BYTES
  }

  #trim({ offset, bytes }: Weight): void {
    this.#start++
    this.head.entries--
    this.head.bytes -= bytes
    this.head.floor = offset
    this.#trimmed++
    this.#trimmedBytes += bytes
  }

  #first(): Weight {
    if (this.#start === this.#oldest.length) this.#readAhead()
    const first = this.#oldest[this.#start]
    if (first === undefined)
      throw new RangeError(`channel ${this.#place.channel} has fewer facts than its head says`)
    return first
  }

  #readAhead(): void {
    this.flush()
    const { floor } = this.head
    const weights = this.#store.weights(this.#place, floor, this.#channel.top, RUNS_AHEAD)
    this.#oldest = weights.filter(({ offset }) => offset > floor)
    this.#start = 0
  }
}
