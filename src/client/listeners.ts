interface Listener {
  readonly type: unknown
  readonly name: string | undefined
  readonly call: (...told: never) => unknown
}

/** Who wants to be told of what. `Told` has, by type, what a listener is called with. */
export class Listeners<Told extends { readonly [Type in keyof Told]: readonly unknown[] }> {
  readonly #all = new Set<Listener>()

  /** Returns how to take it off. The same function may be added twice. With a name, it is told of that name only. */
  add<Type extends keyof Told>(
    type: Type,
    call: (...told: Told[Type]) => void,
    name?: string | undefined,
  ): () => void {
    const listener = { type, name, call }
    this.#all.add(listener)
    return () => void this.#all.delete(listener)
  }

  clear(): void {
    this.#all.clear()
  }

  /**
   * Tells everybody who listens now and has not been taken off meanwhile, and returns whether that was anybody. One that
   * throws, or rejects, keeps none of the others from being told.
   */
  tell<Type extends keyof Told>(
    handleError: (error: unknown) => void,
    type: Type,
    told: Told[Type],
    name?: string | undefined,
  ): boolean {
    let heard = false
    for (const listener of [...this.#all]) {
      if (listener.type !== type || (listener.name ?? name) !== name || !this.#all.has(listener)) continue
      heard = true
      try {
        const outcome: unknown = listener.call(...(told as never))
        if (outcome instanceof Promise) outcome.catch(handleError)
      } catch (error) {
        handleError(error)
      }
    }
    return heard
  }
}
