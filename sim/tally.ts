/** How often something happened, by name. */
export type Counts = Readonly<Record<string, number>>

export class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string, times = 1): void {
    if (times > 0) this.#counts.set(name, (this.#counts.get(name) ?? 0) + times)
  }

  addAll(counts: Counts): void {
    for (const [name, times] of Object.entries(counts)) this.add(name, times)
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** Sorted by name, so that two of the same run are the same to the letter. */
  counts(): Counts {
    return Object.fromEntries([...this.#counts].sort(([one], [other]) => (one < other ? -1 : 1)))
  }
}
