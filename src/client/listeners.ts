/** Who wants to be told of one kind of thing. */
export class Listeners<Told extends readonly unknown[]> {
  readonly #all = new Set<(...told: Told) => void>()

  get size(): number {
    return this.#all.size
  }

  /** Returns how to take it off. The same function may be added twice. */
  add(listener: (...told: Told) => void): () => void {
    const own = (...told: Told) => listener(...told)
    this.#all.add(own)
    return () => void this.#all.delete(own)
  }

  clear(): void {
    this.#all.clear()
  }

  /** Tells everybody who listens now and has not been taken off meanwhile. One that throws keeps none of the others from being told. */
  tell(handleError: (error: unknown) => void, ...told: Told): void {
    for (const listener of [...this.#all]) {
      try {
        if (this.#all.has(listener)) listener(...told)
      } catch (error) {
        handleError(error)
      }
    }
  }
}
