import type { Appended, AppendOptions, Draft } from "holdfast/testing"

/** An entry as the log said that it was appended. */
export interface TrueEntry extends Draft {
  readonly offset: number
  /** The operation that made it, by its idempotency key. */
  readonly id: string | undefined
  /** Virtual ms. */
  readonly appendedAtMs: number
}

/** One channel in one life of the log. */
export interface Life {
  readonly epoch: string
  readonly entries: TrueEntry[]
  readonly byOffset: Map<number, TrueEntry>
  /** The first entry of each operation. */
  readonly byId: Map<string, TrueEntry>
  /** The latest time that an append or a trim went by: what is older than that by `keep.forMs` may go. */
  latestAt: number
}

/** What the log has taken, as the checker saw it on the way: independent of what the log makes of it. */
export class Truth {
  readonly violations: string[] = []
  /** Operations whose append was refused at least once. */
  readonly refused = new Set<string>()
  readonly #lives = new Map<string, Life[]>()
  #epochs: string[] = []

  /** The log has begun a new life. */
  begin(epoch: string): void {
    this.#epochs = [...this.#epochs, epoch]
  }

  get epoch(): string {
    return this.#epochs.at(-1) as string
  }

  get epochs(): readonly string[] {
    return this.#epochs
  }

  add(channel: string, draft: Draft, options: AppendOptions, appended: Appended, nowMs: number): void {
    const { epoch, offset } = appended.position
    const life = this.life(channel, epoch)
    const id = idOf(options)
    if (appended.duplicate) {
      // somebody else has changed the key meanwhile: nothing was to be appended
      if (options.replaces !== undefined) return
      const first = life.byOffset.get(offset)
      if (first === undefined || first.id !== id)
        this.violations.push(
          `once in: ${channel} ${epoch}#${offset} is named as the duplicate of ${id}, and is not`,
        )
      return
    }
    const entry: TrueEntry = { ...draft, offset, id, appendedAtMs: nowMs }
    const taken = life.byOffset.get(offset)
    if (taken !== undefined) {
      this.violations.push(`offsets: ${channel} ${epoch}#${offset} was given to ${taken.id} and to ${id}`)
      return
    }
    const top = life.entries.at(-1)?.offset ?? 0
    if (offset <= top) this.violations.push(`offsets: ${channel} ${epoch}#${offset} came after #${top}`)
    life.entries.push(entry)
    life.byOffset.set(offset, entry)
    if (id !== undefined && !life.byId.has(id)) life.byId.set(id, entry)
    this.noteTime(channel, draft.at)
  }

  refuse(options: AppendOptions): void {
    const id = idOf(options)
    if (id !== undefined) this.refused.add(id)
  }

  noteTime(channel: string, at: number): void {
    const life = this.life(channel)
    life.latestAt = Math.max(life.latestAt, at)
  }

  life(channel: string, epoch = this.epoch): Life {
    let lives = this.#lives.get(channel)
    if (lives === undefined) {
      lives = []
      this.#lives.set(channel, lives)
    }
    let life = lives.find((each) => each.epoch === epoch)
    if (life === undefined) {
      life = { epoch, entries: [], byOffset: new Map(), byId: new Map(), latestAt: Number.NEGATIVE_INFINITY }
      lives.push(life)
    }
    return life
  }

  /** All lives of all channels. */
  *lives(): Generator<readonly [channel: string, life: Life]> {
    for (const [channel, lives] of this.#lives) for (const life of lives) yield [channel, life]
  }

  top(channel: string): number {
    return this.life(channel).entries.at(-1)?.offset ?? 0
  }
}

/** The operation that an append comes from. The hub puts a scope before the key. */
export function idOf({ dedupe }: AppendOptions): string | undefined {
  if (dedupe === undefined) return undefined
  const scoped = JSON.parse(dedupe.key) as string[]
  return scoped.at(-1)
}
