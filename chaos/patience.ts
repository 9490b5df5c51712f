/** Over when nothing has changed for so long: a busy machine takes its time, and what hangs does not move at all. */
export class Patience {
  readonly #ms: number
  readonly #situation: () => string
  #last: string
  #sinceMs = performance.now()

  /** @param situation as text, which is another one with each step forward */
  constructor(ms: number, situation: () => string) {
    this.#ms = ms
    this.#situation = situation
    this.#last = situation()
  }

  get isOver(): boolean {
    const now = this.#situation()
    if (now !== this.#last) {
      this.#last = now
      this.#sinceMs = performance.now()
    }
    return performance.now() - this.#sinceMs >= this.#ms
  }
}
