import type { Head } from "../../log/log.ts"

/** A value that the server's own code loaded, after the log had come to `offset`. */
export interface Loaded {
  readonly offset: number
  readonly data: unknown
}

/** How often a snapshot is read on to a top that has risen no less than in the round before, or is begun again. */
const ROUNDS_MAX = 3

/**
 * A snapshot on its way. First the fold up to `fold` is read, then what changed meanwhile, up to the top: so it is complete where it
 * ends, and holds no key that was removed while it was read. If such a removal is forgotten before it is read, all begins again.
 * On a link that is slower than the keys change it ends below the top, and the entries that follow have the rest.
 */
export class SnapshotProgress {
  fold: number
  /** Read up to here. */
  after = 0
  /** All of it was read: it lacks the value that the server loads, if it does. */
  isRead = false
  loaded: Loaded | undefined
  /** Parts were sent that count for nothing, and the next one says so. */
  restarts = false
  /** It may hold a key that was removed. */
  isStale = false
  /** Where the round ends. */
  #until: number
  /** How many offsets the round goes through. */
  #span = Number.POSITIVE_INFINITY
  #rounds = ROUNDS_MAX

  constructor(fold: number) {
    this.fold = this.#until = fold
  }

  get isFolding(): boolean {
    return this.after < this.fold
  }

  /** Whether a page up to `next` is the last one. */
  endsAt(next: number, top: number): boolean {
    return next >= top || (next >= this.#until && this.#rounds === 1)
  }

  advance(next: number, top: number): void {
    this.isRead = this.endsAt(next, top)
    this.after = next
    if (next < this.#until) return
    // rounds that become shorter come to an end by themselves
    if (top - this.#until >= this.#span) this.#rounds--
    this.#span = top - this.#until
    this.#until = top
  }

  /** Whether a removal was forgotten of a key that may have been read with a value. */
  isOutdated({ floors }: Head, keyed: readonly string[]): boolean {
    const complete = Math.max(this.after, this.fold)
    return !this.isRead && keyed.some((collection) => (floors[collection] ?? 0) > complete)
  }

  /** Begins again if it is outdated. Returns whether it did. */
  restart(head: Head, keyed: readonly string[]): boolean {
    if (!this.isOutdated(head, keyed)) return false
    if (this.#rounds === 1) {
      this.isStale = true
      return false
    }
    this.#rounds--
    this.restarts ||= this.after > 0
    this.fold = this.#until = head.top
    this.after = 0
    return true
  }
}
