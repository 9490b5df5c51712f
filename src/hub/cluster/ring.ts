import type { NodeState } from "./node-keys.ts"

interface Known {
  readonly state: NodeState
  /** Of its key's entry in this life of the log; 0 when there was none yet. */
  readonly offset: number
}

/** The lives of nodes in the order of their names, each followed by its successor, the last by the first. */
export class Ring {
  readonly #known = new Map<string, Known>()

  /** What the log says of a life, or that it says nothing of it any more. Older news are ignored. */
  set(life: string, offset: number, state: NodeState | undefined): void {
    if (offset <= (this.#known.get(life)?.offset ?? 0)) return
    if (state === undefined) this.#known.delete(life)
    else this.#known.set(life, { state, offset })
  }

  /** Of all that the log had said anything of by `top`, these are left. */
  keep(lives: ReadonlySet<string>, top: number): void {
    for (const [life, { offset }] of this.#known) {
      if (offset > 0 && offset <= top && !lives.has(life)) this.#known.delete(life)
    }
  }

  /** The log has begun anew: whatever it says from now on is news. */
  startOver(): void {
    for (const [life, { state }] of this.#known) this.#known.set(life, { state, offset: 0 })
  }

  /** Forgets those that the log has said nothing of since it began anew. */
  forgetUnheard(): void {
    for (const [life, { offset }] of this.#known) if (offset === 0) this.#known.delete(life)
  }

  in(state: NodeState): string[] {
    return [...this.#known].filter(([, known]) => known.state === state).map(([life]) => life)
  }

  /** The next one that is not known to be dead; itself when there is no other. */
  successorOf(life: string): string {
    const others = [...this.in("alive"), ...this.in("left")].filter((each) => each !== life).sort()
    return others.find((each) => each > life) ?? others[0] ?? life
  }

  /** Whether of all lives this one is the next before a dead one, so that it has to see to it. */
  isBefore(life: string, dead: string): boolean {
    const alive = this.in("alive").sort()
    return (alive.findLast((each) => each < dead) ?? alive.at(-1)) === life
  }
}
