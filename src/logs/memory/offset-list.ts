import type { Entry } from "../../log/log.ts"

/** Below this many slots it does not pay to close holes. */
const SLOTS_MIN = 64

/**
 * Entries in the order of their offsets. Appending, and removing from anywhere, leave the others where they are: what is
 * removed leaves a hole, and holes are closed when they outnumber the entries, so each operation is O(log n) at most.
 */
export class OffsetList {
  /** The offsets of all slots, holes too: what the binary search goes by. */
  #offsets: number[] = []
  #slots: (Entry | undefined)[] = []
  /** The slots before this one are holes. */
  #start = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The entry with the lowest offset. */
  first(): Entry | undefined {
    return this.#slots[this.#start]
  }

  /** The entry behind which `count - 1` others stand. Counts slots: only right for a list that is never removed from its middle. */
  fromEnd(count: number): Entry | undefined {
    return this.#slots[Math.max(this.#start, this.#slots.length - count)]
  }

  /** `entry` has to have a greater offset than all before it. */
  push(entry: Entry): void {
    this.#offsets.push(entry.offset)
    this.#slots.push(entry)
    this.#size++
  }

  /** Removes the entry with this offset, if it is there. */
  remove(offset: number): void {
    const index = this.seek(offset - 1)
    if (this.#offsets[index] !== offset || this.#slots[index] === undefined) return
    this.#slots[index] = undefined
    this.#size--
    while (this.#start < this.#slots.length && this.#slots[this.#start] === undefined) this.#start++
    if (this.#slots.length >= SLOTS_MIN && this.#slots.length > 2 * this.#size) this.#closeHoles()
  }

  /** The first slot behind this offset, to be handed to `next`. */
  seek(after: number): number {
    let low = this.#start
    let high = this.#offsets.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#offsets[middle] as number) <= after) low = middle + 1
      else high = middle
    }
    return low
  }

  /** The first slot from this one on that holds an entry; the number of slots when there is none. */
  next(slot: number): number {
    let index = slot
    while (index < this.#slots.length && this.#slots[index] === undefined) index++
    return index
  }

  at(slot: number): Entry | undefined {
    return this.#slots[slot]
  }

  #closeHoles(): void {
    this.#slots = this.#slots.filter((entry) => entry !== undefined)
    this.#offsets = this.#slots.map((entry) => (entry as Entry).offset)
    this.#start = 0
  }
}
