import type { Dedupe } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"

/** What an idempotency key stands for. */
interface Known {
  readonly key: string
  readonly fingerprint: string
  readonly offset: number
  /** ms since 1970, on the clock that the drafts carry. */
  readonly expiresAt: number
}

/**
 * The idempotency keys of one channel. Keys leave in the order in which they came, when they have expired or when there
 * are more than `keysMax`: the oldest is forgotten then, and a repeat of that one would be appended again.
 */
export class DedupeTable {
  readonly #keysMax: number
  readonly #known = new Map<string, Known>()
  /** In the order of arrival. A Map's own order would do, but finding its first key is slow after many deletions. */
  #queue: Known[] = []
  #start = 0

  constructor(keysMax: number) {
    this.#keysMax = keysMax
  }

  get size(): number {
    return this.#known.size
  }

  /**
   * The offset of the append that came with this key before.
   * @throws HoldfastError `idempotency_conflict` when that one was another
   */
  find({ key, fingerprint }: Dedupe, nowMs: number): number | undefined {
    const known = this.#known.get(key)
    if (known === undefined || known.expiresAt <= nowMs) return undefined
    if (known.fingerprint === fingerprint) return known.offset
    throw new HoldfastError("idempotency_conflict", "The idempotency key was used before with other content.")
  }

  add({ key, fingerprint, windowMs }: Dedupe, offset: number, nowMs: number): void {
    const known = { key, fingerprint, offset, expiresAt: nowMs + windowMs }
    this.#known.set(key, known)
    this.#queue.push(known)
    this.forget(nowMs)
  }

  /** Drops what has expired, and the oldest beyond the limit. */
  forget(nowMs: number): void {
    let oldest = this.#queue[this.#start]
    while (
      oldest !== undefined &&
      (oldest.expiresAt <= nowMs || this.#queue.length - this.#start > this.#keysMax)
    ) {
      // A key that came again after it had expired stands in the queue twice; only its later record counts.
      if (this.#known.get(oldest.key) === oldest) this.#known.delete(oldest.key)
      oldest = this.#queue[++this.#start]
    }
    if (this.#start > 64 && this.#start * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#start)
      this.#start = 0
    }
  }
}
