import type { Draft, Entry, LogKeep, Range } from "../../log/log.ts"
import { OffsetList } from "./offset-list.ts"

/** What a read finds: `Page` without the log's epoch. */
export interface Found {
  readonly entries: readonly Entry[]
  readonly next: number
}

/**
 * One channel's retained entries. Three lists, each in the order of offsets: the events, the latest `set` or `join` of
 * each key, and the tombstones (the `delete` or `left` of keys that are gone, without which a cursor that stands below
 * would never learn of the deletion). An entry whose key was written again is in none of them.
 */
export class MemoryChannel {
  readonly #tombstonesMax: number
  readonly #events = new OffsetList()
  readonly #values = new OffsetList()
  readonly #tombstones = new OffsetList()
  /** The latest entry of each key, values and tombstones. */
  readonly #latest = new Map<string, Entry>()
  #eventBytes = 0
  #top = 0
  #floor = 0

  /** Keeps as many tombstones as there are values, but at least `tombstonesMax`. */
  constructor(tombstonesMax: number) {
    this.#tombstonesMax = tombstonesMax
  }

  get top(): number {
    return this.#top
  }

  /**
   * Rises only with what is lost: an event that was trimmed, a tombstone that was dropped. An entry whose key was
   * written again is no loss, for its successor says all there is to know.
   */
  get floor(): number {
    return this.#floor
  }

  /** How many keys have a value. */
  get size(): number {
    return this.#values.size
  }

  /** The latest entry under the draft's key. */
  latest(draft: Draft): Entry | undefined {
    return this.#latest.get(identity(draft))
  }

  /** Whether an append of this draft would add a key. */
  addsKey(draft: Draft): boolean {
    if (draft.kind !== "set" && draft.kind !== "join") return false
    const latest = this.#latest.get(identity(draft))
    return latest === undefined || isTombstone(latest)
  }

  append({ kind, name, key, body, at }: Draft, keep: Required<LogKeep>): Entry {
    const entry: Entry = { offset: this.#top + 1, kind, name, key, body, at }
    this.#top = entry.offset
    if (kind === "event") {
      this.#events.push(entry)
      this.#eventBytes += body.length
    } else {
      this.#supersede(entry)
    }
    this.trim(keep, at)
    return entry
  }

  trim(keep: Required<LogKeep>, nowMs: number): void {
    const oldestAt = nowMs - keep.forMs
    let event = this.#events.first()
    while (
      event !== undefined &&
      (this.#events.size > keep.events || this.#eventBytes > keep.bytes || event.at < oldestAt)
    ) {
      this.#events.remove(event.offset)
      this.#eventBytes -= event.body.length
      this.#lose(event)
      event = this.#events.first()
    }
    const tombstonesMax = Math.max(this.#tombstonesMax, this.#values.size)
    let tombstone = this.#tombstones.first()
    while (tombstone !== undefined && (this.#tombstones.size > tombstonesMax || tombstone.at < oldestAt)) {
      this.#tombstones.remove(tombstone.offset)
      this.#latest.delete(identity(tombstone))
      this.#lose(tombstone)
      tombstone = this.#tombstones.first()
    }
  }

  offsetOfLast(count: number): number {
    if (count <= 0) return this.#top
    if (count >= this.#events.size) return this.#floor
    const event = this.#events.fromEnd(count)
    return event === undefined ? this.#floor : Math.max(this.#floor, event.offset - 1)
  }

  read({ after, through, select, entriesMax, bytesMax }: Range): Found {
    const end = Math.min(through, this.#top)
    const lists = select === "fold" ? [this.#values] : [this.#events, this.#values, this.#tombstones]
    const slots = lists.map((list) => list.seek(after))
    const entries: Entry[] = []
    let bytes = 0
    for (;;) {
      const entry = takeLowest(lists, slots)
      if (entry === undefined || entry.offset > end) return { entries, next: Math.max(after, end) }
      bytes += entry.body.length
      if (entries.length > 0 && (entries.length >= entriesMax || bytes > bytesMax)) {
        return { entries, next: entries.at(-1)?.offset ?? after }
      }
      entries.push(entry)
    }
  }

  #supersede(entry: Entry): void {
    const id = identity(entry)
    const before = this.#latest.get(id)
    if (before !== undefined) (isTombstone(before) ? this.#tombstones : this.#values).remove(before.offset)
    this.#latest.set(id, entry)
    if (isTombstone(entry)) this.#tombstones.push(entry)
    else this.#values.push(entry)
  }

  #lose(entry: Entry): void {
    this.#floor = Math.max(this.#floor, entry.offset)
  }
}

/** Takes the entry with the lowest offset of several lists, and moves that list's slot on. */
function takeLowest(lists: readonly OffsetList[], slots: number[]): Entry | undefined {
  let lowest: Entry | undefined
  let from = 0
  for (let index = 0; index < lists.length; index++) {
    const list = lists[index] as OffsetList
    const slot = list.next(slots[index] as number)
    slots[index] = slot
    const entry = list.at(slot)
    if (entry !== undefined && (lowest === undefined || entry.offset < lowest.offset)) {
      lowest = entry
      from = index
    }
  }
  if (lowest !== undefined) slots[from] = (slots[from] as number) + 1
  return lowest
}

function isTombstone({ kind }: Draft): boolean {
  return kind === "delete" || kind === "left"
}

/** Names a key of a facet. The name's length keeps ("ab", "c") and ("a", "bc") apart. */
function identity({ kind, name, key }: Draft): string {
  return kind === "join" || kind === "left" ? `p${key}` : `s${name.length}:${name}${key}`
}
