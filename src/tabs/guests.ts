import { hold } from "./locks.ts"

/** The lock that a tab holds as long as it is there. */
export function tabLock(name: string, tab: string): string {
  return `${name} tab ${tab}`
}

/** Whose lines are held here, and whether they are still there. */
export class Guests {
  readonly #name: string
  readonly #tabs = new Map<
    string,
    { readonly lines: Map<string, () => void>; readonly unwatch: () => void }
  >()

  /** @param name of the crew, under which tabs have their locks */
  constructor(name: string) {
    this.#name = name
  }

  /** Whether no tab but this one has lines here. */
  isAlone(tab: string): boolean {
    return [...this.#tabs.keys()].every((each) => each === tab)
  }

  /** Takes a line, unless it is taken. `take` is given what to call when it is over, and returns how to say that its tab is gone. */
  host(tab: string, line: string, take: (done: () => void) => () => void): void {
    const guest = this.#tabs.get(tab) ?? { lines: new Map<string, () => void>(), unwatch: this.#watch(tab) }
    this.#tabs.set(tab, guest)
    if (guest.lines.has(line)) return
    const done = () => {
      guest.lines.delete(line)
      if (guest.lines.size > 0 || this.#tabs.get(tab) !== guest) return
      guest.unwatch()
      this.#tabs.delete(tab)
    }
    guest.lines.set(line, () => {})
    const leave = take(done)
    if (guest.lines.has(line)) guest.lines.set(line, leave)
  }

  /** Forgets all of them. */
  clear(): void {
    for (const { unwatch } of this.#tabs.values()) unwatch()
    this.#tabs.clear()
  }

  #watch(tab: string): () => void {
    const unwatch = hold(tabLock(this.#name, tab), () => {
      const guest = this.#tabs.get(tab)
      this.#tabs.delete(tab)
      for (const leave of [...(guest?.lines.values() ?? [])]) leave()
      // the lock is nobody's any more
      queueMicrotask(unwatch)
    })
    return unwatch
  }
}
