import type { AppendOptions, EntryOperation, Head, Operation, Outcome } from "holdfast/testing"
import { KeyRules } from "./key-rules.ts"
import { Timeline } from "./timeline.ts"

/** An entry as the log said that it was appended. */
export interface TrueEntry {
  readonly offset: number
  readonly operation: EntryOperation
  readonly collection: string
  readonly key: string
  readonly body: Uint8Array
  readonly at: number
  /** The operation that made it, by its idempotency key. */
  readonly id: string | undefined
  /** Virtual ms. */
  readonly appendedAtMs: number
}

/** One channel in one life of the log. */
export interface Life {
  readonly channel: string
  readonly epoch: string
  readonly entries: TrueEntry[]
  readonly byOffset: Map<number, TrueEntry>
  /** The first entry of each operation. */
  readonly byId: Map<string, TrueEntry>
  /** Where the log says that the channel begins: it forgets a channel in which nothing is left. */
  readonly base: Timeline
  /**
   * The latest time that any append or trim in this life of the log went by: what is older than that by its retention may go. Of all
   * channels together, as each append tidies another one.
   */
  readonly latestAt: Timeline
  readonly rules: KeyRules
}

/** What the log has taken, as the checker saw it on the way: independent of what the log makes of it. */
export class Truth {
  readonly violations: string[] = []
  /** Operations whose append was refused at least once. */
  readonly refused = new Set<string>()
  readonly #lives = new Map<string, Life[]>()
  readonly #latestAt = new Map<string, Timeline>()
  readonly #begunAtMs = new Map<string, number>()
  #epochs: string[] = []

  /** The log has begun a new life. */
  begin(epoch: string, nowMs: number): void {
    this.#epochs = [...this.#epochs, epoch]
    this.#begunAtMs.set(epoch, nowMs)
    this.#latestAt.set(epoch, new Timeline(Number.NEGATIVE_INFINITY))
  }

  get epoch(): string {
    return this.#epochs.at(-1) as string
  }

  get epochs(): readonly string[] {
    return this.#epochs
  }

  /** Whether this life of the log began in that time. */
  began(epoch: string, fromMs: number, toMs: number): boolean {
    const atMs = this.#begunAtMs.get(epoch) ?? Number.NEGATIVE_INFINITY
    return fromMs <= atMs && atMs <= toMs
  }

  /** What the log has answered. `clockMs`: by the log's own clock. */
  add(
    channel: string,
    operation: Operation,
    options: AppendOptions,
    outcome: Outcome,
    time: { readonly nowMs: number; readonly clockMs: number },
  ): void {
    const { epoch, offset } = outcome.position
    const life = this.life(channel, epoch)
    const id = idOf(options)
    const wrong = life.rules.judge(operation, options, outcome, time.clockMs)
    if (wrong !== undefined) this.violations.push(`conditions: in ${channel} ${epoch}, ${wrong}`)
    if (outcome.status === "duplicate" && life.byOffset.get(offset)?.id !== id)
      this.violations.push(
        `once in: ${channel} ${epoch}#${offset} is named as the duplicate of ${id}, and is not`,
      )
    if (outcome.status === "appended") this.#append(life, operation, offset, id, time.nowMs)
    // whatever comes of it, it tidies another channel
    this.noteTime(operation.at, time.nowMs)
  }

  refuse(options: AppendOptions): void {
    const id = idOf(options)
    if (id !== undefined) this.refused.add(id)
  }

  /** Something was trimmed by this time of a node's clock. */
  noteTime(at: number, nowMs: number): void {
    this.#latestAt.get(this.epoch)?.raise(at, nowMs)
  }

  noteHead(channel: string, { epoch, base }: Head, nowMs: number): void {
    const life = this.life(channel, epoch)
    if (base <= life.base.latest) return
    life.base.raise(base, nowMs)
    life.rules.forget(base)
  }

  life(channel: string, epoch = this.epoch): Life {
    let lives = this.#lives.get(channel)
    if (lives === undefined) {
      lives = []
      this.#lives.set(channel, lives)
    }
    let life = lives.find((each) => each.epoch === epoch)
    if (life === undefined) {
      life = {
        channel,
        epoch,
        entries: [],
        byOffset: new Map(),
        byId: new Map(),
        base: new Timeline(0),
        latestAt: this.#latestAt.get(epoch) ?? new Timeline(Number.NEGATIVE_INFINITY),
        rules: new KeyRules(),
      }
      lives.push(life)
    }
    return life
  }

  /** All lives of all channels. */
  *lives(): Generator<readonly [channel: string, life: Life]> {
    for (const [channel, lives] of this.#lives) for (const life of lives) yield [channel, life]
  }

  #append(life: Life, operation: Operation, offset: number, id: string | undefined, nowMs: number): void {
    const { channel, epoch, entries, byOffset, byId } = life
    const taken = byOffset.get(offset)
    if (taken !== undefined) {
      this.violations.push(`offsets: ${channel} ${epoch}#${offset} was given to ${taken.id} and to ${id}`)
      return
    }
    const top = topOf(life)
    if (offset <= top) this.violations.push(`offsets: ${channel} ${epoch}#${offset} came after #${top}`)
    const { operation: kind, collection, key = `${offset}`, body, at } = operation
    const entry = { offset, operation: kind, collection, key, body, at, id, appendedAtMs: nowMs }
    entries.push(entry)
    byOffset.set(offset, entry)
    if (id !== undefined && !byId.has(id)) byId.set(id, entry)
  }
}

/** The offset of the newest entry. */
export function topOf({ entries }: Life): number {
  return entries.at(-1)?.offset ?? 0
}

/** The operation that an append comes from. The hub puts a scope before the key. */
export function idOf({ dedupe }: AppendOptions): string | undefined {
  if (dedupe === undefined) return undefined
  const scoped = JSON.parse(dedupe.key) as string[]
  return scoped.at(-1)
}
