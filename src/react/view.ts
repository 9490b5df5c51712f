/** An immutable value that React shows. It changes with a frame only, together with all others of its batch. */
export class View<T> {
  readonly #batch: Batch
  readonly #make: () => T
  readonly #listeners = new Set<() => void>()
  #value: T
  #stale = false

  /** @param make makes the value of what it shows now; the same one when nothing has changed */
  constructor(batch: Batch, make: () => T) {
    this.#batch = batch
    this.#make = make
    this.#value = make()
  }

  get value(): T {
    // nobody is told, so nobody holds the old one
    if (this.#stale && this.#listeners.size === 0) this.refresh()
    return this.#value
  }

  /** What it shows has changed. */
  touch(): void {
    this.#stale = true
    if (this.#listeners.size > 0) this.#batch.add(this)
  }

  /** Returns how to take the listener off. */
  watch(listener: () => void): () => void {
    if (this.#stale) this.#batch.add(this)
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Whether there is something else to show. */
  refresh(): boolean {
    const before = this.#value
    this.#stale = false
    this.#value = this.#make()
    return !Object.is(before, this.#value)
  }

  tell(): void {
    for (const listener of [...this.#listeners]) listener()
  }
}

/** Lets all views that were touched change at the same moment, so that React renders once, and no two of them disagree. */
export class Batch {
  readonly #views = new Set<Pick<View<unknown>, "refresh" | "tell">>()
  readonly #nextFrame: (task: () => void) => void

  constructor(nextFrame: (task: () => void) => void) {
    this.#nextFrame = nextFrame
  }

  add(view: Pick<View<unknown>, "refresh" | "tell">): void {
    if (this.#views.size === 0) this.#nextFrame(() => this.#flush())
    this.#views.add(view)
  }

  #flush(): void {
    const views = [...this.#views]
    this.#views.clear()
    const changed = views.filter((view) => view.refresh())
    for (const view of changed) view.tell()
  }
}
