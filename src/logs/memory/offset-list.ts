/** Below this many slots it does not pay to close holes. */
const SLOTS_MIN = 64

/**
 * Things in the order of their offsets. Appending, and removing from anywhere, leave the others where they are: what is removed
 * leaves a hole, and holes are closed when they outnumber the things, so each operation is O(log n) at most.
 */
export class OffsetList<T> {
  /** The offsets of all slots, holes too: the binary search reads these. */
  #offsets: number[] = []
  #slots: (T | undefined)[] = []
  /** The slots before this one are holes. */
  #start = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The number of slots: one behind the last. */
  get end(): number {
    return this.#slots.length
  }

  /** The thing with the lowest offset. */
  first(): T | undefined {
    return this.#slots[this.#start]
  }

  /**
   * The offset of the first one of the last `count`; undefined when there are fewer. Counts slots, so it is right only for a list
   * that is never removed from in the middle.
   */
  offsetFromEnd(count: number): number | undefined {
    return count > this.#size ? undefined : this.#offsets[this.#slots.length - count]
  }

  /** `offset` has to be greater than all before it. */
  push(offset: number, thing: T): void {
    this.#offsets.push(offset)
    this.#slots.push(thing)
    this.#size++
  }

  /** Puts another thing in the place of the one with this offset. */
  replace(offset: number, thing: T): void {
    const index = this.seek(offset - 1)
    if (this.#offsets[index] === offset) this.#slots[index] = thing
  }

  /** Removes the thing with this offset, if it is there. */
  remove(offset: number): void {
    const index = this.seek(offset - 1)
    if (this.#offsets[index] !== offset || this.#slots[index] === undefined) return
    this.#slots[index] = undefined
    this.#size--
    while (this.#start < this.#slots.length && this.#slots[this.#start] === undefined) this.#start++
    if (this.#slots.length >= SLOTS_MIN && this.#slots.length > 2 * this.#size) this.#closeHoles()
  }

  /** The first slot behind this offset, to be given to `next`. */
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

  /** The first slot from this one on that is no hole; the number of slots when there is none. */
  next(slot: number): number {
    let index = slot
    while (index < this.#slots.length && this.#slots[index] === undefined) index++
    return index
  }

  /** The first slot from this one down that is no hole; below 0 when there is none. */
  previous(slot: number): number {
    let index = slot
    while (index >= this.#start && this.#slots[index] === undefined) index--
    return index >= this.#start ? index : -1
  }

  at(slot: number): T | undefined {
    return this.#slots[slot]
  }

  offsetAt(slot: number): number {
    return this.#offsets[slot] as number
  }

  #closeHoles(): void {
    if (this.#slots.length - this.#start === this.#size) {
      this.#offsets = this.#offsets.slice(this.#start)
      this.#slots = this.#slots.slice(this.#start)
      this.#start = 0
      return
    }
    const kept = this.#slots.flatMap((thing, slot) => (thing === undefined ? [] : [slot]))
    this.#offsets = kept.map((slot) => this.#offsets[slot] as number)
    this.#slots = kept.map((slot) => this.#slots[slot])
    this.#start = 0
  }
}
