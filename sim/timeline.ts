/** A number that never falls, with when it rose. */
export class Timeline {
  readonly #atMs: number[] = []
  readonly #values: number[] = []
  readonly #first: number

  constructor(first: number) {
    this.#first = first
  }

  get latest(): number {
    return this.#values.at(-1) ?? this.#first
  }

  /** `atMs` never falls either. */
  raise(value: number, atMs: number): void {
    if (value <= this.latest) return
    this.#atMs.push(atMs)
    this.#values.push(value)
  }

  at(atMs: number): number {
    let low = 0
    let high = this.#atMs.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#atMs[middle] as number) <= atMs) low = middle + 1
      else high = middle
    }
    return low === 0 ? this.#first : (this.#values[low - 1] as number)
  }
}
