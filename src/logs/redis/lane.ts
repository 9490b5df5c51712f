import type { Appended, AppendOptions, Draft, LogKeep } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Batch, Outcome, Written } from "./channel-store.ts"
import { OUTCOME } from "./channel-store.ts"
import { failureOf, isAnswer, isPassing, refusedLater, unanswered } from "./failure.ts"
import { packDraft } from "./packing.ts"

/** How much goes in one batch: enough to make many appends cheap, little enough not to keep Redis from others. */
const BATCH_DRAFTS_MAX = 200
const BATCH_BYTES_MAX = 512 * 1024

/** An append that waits for its answer. */
interface Pending {
  readonly packed: Buffer
  readonly at: number
  readonly keep: Required<LogKeep>
  readonly untilMs: number
  readonly resolve: (appended: Appended) => void
  readonly reject: (error: HoldfastError) => void
  /** It was sent, and nothing was heard of it: it may be in the log. */
  inDoubt: boolean
  isSettled: boolean
}

/** What a lane needs of the log around it. */
export interface LanePorts {
  readonly write: (batch: Batch, handleSent: () => void) => Promise<Written>
  /** Numbers rise over all lanes. */
  readonly nextNumber: () => number
  readonly waitMs: number
  readonly keysMax: number
  /** Why there is no connection. */
  readonly reason: () => HoldfastError
  /** Nothing waits here any more. */
  readonly handleIdle: () => void
}

/**
 * The appends of one channel, in the order of the calls. What is called in one turn of the event loop goes together in one
 * batch. One is under way at a time, and what is called meanwhile goes together in the next: so a lone append costs one round
 * trip and many at once cost fewer; the order holds whatever is cut, redirected or repeated; and a batch that was not answered can be repeated until it is, for the script knows it by its
 * number.
 */
export class Lane {
  readonly #ports: LanePorts
  #waiting: Pending[] = []
  #sent: readonly Pending[] = []
  #isRunning = false
  /** Why the last attempt was of no use. */
  #failure: HoldfastError | undefined

  constructor(ports: LanePorts) {
    this.#ports = ports
  }

  append(draft: Draft, options: AppendOptions): Promise<Appended> {
    const packed = packDraft(draft, options)
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        packed,
        at: draft.at,
        keep: options.keep,
        untilMs: Date.now() + this.#ports.waitMs,
        resolve,
        reject,
        inDoubt: false,
        isSettled: false,
      })
      if (!this.#isRunning) void this.#run()
    })
  }

  /** Gives up what may not wait any longer; with `Infinity`, everything. */
  handleTime(nowMs: number): void {
    for (const pending of [...this.#sent, ...this.#waiting]) {
      if (pending.isSettled || pending.untilMs > nowMs) continue
      fail(pending, pending.inDoubt ? unanswered() : (this.#failure ?? this.#ports.reason()))
    }
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    // what one turn of the event loop appends is delivered in one burst, if it is told at once
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) await this.#deliver(this.#take())
    this.#isRunning = false
    this.#ports.handleIdle()
  }

  /** The next that fit together in one batch. */
  #take(): readonly Pending[] {
    const first = this.#waiting[0] as Pending
    let bytes = 0
    let count = 0
    for (const pending of this.#waiting) {
      bytes += pending.packed.length
      const isTooMuch = count >= BATCH_DRAFTS_MAX || bytes > BATCH_BYTES_MAX
      if (count > 0 && (isTooMuch || !isSameKeep(pending.keep, first.keep))) break
      count++
    }
    return this.#waiting.splice(0, count)
  }

  async #deliver(batch: readonly Pending[]): Promise<void> {
    const number = this.#ports.nextNumber()
    /**
     * What was sent, by how much it was: an answer may be the one to an earlier attempt, which was longer if something was
     * given up since.
     */
    const attempts = new Map<number, readonly Pending[]>()
    let wasInDoubt = false
    for (let delayMs = 20; ; delayMs = Math.min(2 * delayMs, 500)) {
      this.#sent = batch.filter(({ isSettled }) => !isSettled)
      if (this.#sent.length === 0) return
      attempts.set(this.#sent.length, this.#sent)
      try {
        settle(await this.#write(number, this.#sent), attempts, this.#ports.keysMax)
        this.#failure = undefined
        this.#sent = []
        return
      } catch (error) {
        this.#failure = failureOf(error)
        // what is refused was not carried out, but an earlier attempt may have been
        if (isAnswer(error)) for (const pending of this.#sent) pending.inDoubt = wasInDoubt
        else wasInDoubt ||= this.#sent.some(({ inDoubt }) => inDoubt)
        if (!isPassing(error)) {
          for (const pending of this.#sent)
            fail(pending, wasInDoubt ? refusedLater(this.#failure) : this.#failure)
          this.#sent = []
          return
        }
        await new Promise((resolve) => setTimeout(resolve, delayMs))
      }
    }
  }

  #write(number: number, sent: readonly Pending[]): Promise<Written> {
    const batch = {
      number,
      nowMs: Math.max(...sent.map(({ at }) => at)),
      keep: (sent[0] as Pending).keep,
      drafts: sent.map(({ packed }) => packed),
    }
    return this.#ports.write(batch, () => {
      for (const pending of sent) pending.inDoubt = true
    })
  }
}

function settle(
  { head: { epoch }, outcomes }: Written,
  attempts: ReadonlyMap<number, readonly Pending[]>,
  keysMax: number,
): void {
  const answered = attempts.get(outcomes.length) ?? []
  for (const [index, pending] of answered.entries()) {
    if (pending.isSettled) continue
    const { code, offset } = outcomes[index] as Outcome
    if (code === OUTCOME.conflict) {
      fail(pending, new HoldfastError("idempotency_conflict", errorCodes.idempotency_conflict))
    } else if (code === OUTCOME.full) {
      const text =
        "The log has as many keys in this channel as one may have (keysPerChannelMax). Nothing was published."
      fail(pending, new HoldfastError("log_full", text, { limit: keysMax }))
    } else {
      pending.isSettled = true
      pending.resolve({ position: { epoch, offset }, duplicate: code === OUTCOME.duplicate })
    }
  }
}

function fail(pending: Pending, error: HoldfastError): void {
  pending.isSettled = true
  pending.reject(error)
}

function isSameKeep(a: Required<LogKeep>, b: Required<LogKeep>): boolean {
  return a === b || (a.events === b.events && a.forMs === b.forMs && a.bytes === b.bytes)
}
