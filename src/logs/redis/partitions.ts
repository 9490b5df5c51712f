/** What this node knows of a partition: enough to prove that its tail was lost. */
export interface Knowledge {
  readonly epoch: string
  /** Rises when another server process begins to append. */
  readonly generation: number
  /** The greatest offset that this node has seen. */
  readonly top: number
}

export const nothing: Knowledge = { epoch: "", generation: 0, top: 0 }

/** What this node has seen of each partition. */
export class Partitions {
  readonly #known = new Map<number, Knowledge>()

  knowledge(partition: number): Knowledge {
    return this.#known.get(partition) ?? nothing
  }

  /** An answer of the write script has been checked against what was known, so it is the truth from then on. */
  settle(partition: number, { epoch, generation, top }: Knowledge): void {
    const known = this.knowledge(partition)
    const isCurrent = known.epoch === epoch && known.generation === generation
    this.#known.set(partition, { epoch, generation, top: isCurrent ? Math.max(top, known.top) : top })
  }

  /**
   * Takes note of what was read or told. Returns false when it does not fit what is known, or lacks something up to `atLeast`:
   * then only the write script can say what has happened, and may have to begin an epoch.
   */
  note(partition: number, { epoch, generation, top }: Knowledge, atLeast: number): boolean {
    const known = this.knowledge(partition)
    if (known.epoch !== epoch) {
      if (known.epoch !== "") return false
      this.#known.set(partition, { epoch, generation, top })
      return true
    }
    if (known.generation !== generation || top < atLeast) return false
    if (top > known.top) this.#known.set(partition, { epoch, generation, top })
    return true
  }
}
