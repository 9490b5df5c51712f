import type { Account, Dedupe } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"

interface Known {
  readonly key: string
  readonly fingerprint: string
  readonly offset: number
  readonly account: string | undefined
  /** ms since 1970, on the clock of the operations. */
  readonly expiresAt: number
}

/** Keys with one window expire in the order in which they came. */
interface Queue {
  known: Known[]
  start: number
}

/** The idempotency keys of one channel, counted by account. A key leaves when it has expired, and never before. */
export class IdempotencyKeys {
  readonly #known = new Map<string, Known>()
  readonly #queues = new Map<number, Queue>()
  readonly #accounts = new Map<string, number>()

  get size(): number {
    return this.#known.size
  }

  /**
   * The offset of the append that had this key.
   * @throws HoldfastError `idempotency_conflict` when that one was another
   */
  find({ key, fingerprint }: Dedupe, nowMs: number): number | undefined {
    const known = this.#known.get(key)
    if (known === undefined || known.expiresAt <= nowMs) return undefined
    if (known.fingerprint === fingerprint) return known.offset
    throw new HoldfastError("idempotency_conflict", "The idempotency key was used before with other content.")
  }

  /** @throws HoldfastError `quota_exceeded` when the account has as many keys as it may have, `log_full` when the channel has */
  checkSpace(account: Account | undefined, keysMax: number, nowMs: number): void {
    const isFull = () => this.#known.size >= keysMax
    const isSpent = () =>
      account !== undefined && (this.#accounts.get(account.name) ?? 0) >= account.idempotencyKeysMax
    if (!isFull() && !isSpent()) return
    this.forget(nowMs)
    if (isSpent())
      throw new HoldfastError(
        "quota_exceeded",
        "The user has as many idempotency keys in this channel as one user may have. Nothing was published.",
        { limit: account?.idempotencyKeysMax ?? 0 },
      )
    if (isFull())
      throw new HoldfastError(
        "log_full",
        "The channel has as many idempotency keys as it may have. Nothing was published.",
        { limit: keysMax },
      )
  }

  add(
    { key, fingerprint, windowMs }: Dedupe,
    account: string | undefined,
    offset: number,
    nowMs: number,
  ): void {
    const before = this.#known.get(key)
    if (before !== undefined) this.#drop(before)
    const known = { key, fingerprint, offset, account, expiresAt: nowMs + windowMs }
    this.#known.set(key, known)
    if (account !== undefined) this.#accounts.set(account, (this.#accounts.get(account) ?? 0) + 1)
    const queue = this.#queues.get(windowMs)
    if (queue === undefined) this.#queues.set(windowMs, { known: [known], start: 0 })
    else queue.known.push(known)
  }

  /** Drops what has expired. */
  forget(nowMs: number): void {
    for (const [windowMs, queue] of this.#queues) {
      let oldest = queue.known[queue.start]
      while (oldest !== undefined && oldest.expiresAt <= nowMs) {
        // a key that came again after it had expired stands in the queue twice; only its later record counts
        if (this.#known.get(oldest.key) === oldest) this.#drop(oldest)
        oldest = queue.known[++queue.start]
      }
      if (oldest === undefined) this.#queues.delete(windowMs)
      else if (queue.start > 64 && queue.start * 2 > queue.known.length) {
        queue.known = queue.known.slice(queue.start)
        queue.start = 0
      }
    }
  }

  #drop({ key, account }: Known): void {
    this.#known.delete(key)
    if (account === undefined) return
    const left = (this.#accounts.get(account) ?? 1) - 1
    if (left > 0) this.#accounts.set(account, left)
    else this.#accounts.delete(account)
  }
}
