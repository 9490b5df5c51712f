import type { AppendOptions, Operation, Outcome, Retention } from "../../log/operation.ts"
import type { HoldfastError } from "../../protocol/error.ts"
import type { Written } from "./channel-store.ts"
import { failureOf, isAnswer, isPassing, refusedLater, unanswered } from "./failure.ts"
import type { ScriptOutcome } from "./outcomes.ts"
import { type BatchFields, type Member, packOperation } from "./packing.ts"
import { retry } from "./retry.ts"

/** How much goes in one batch: enough to make many appends cheap, little enough not to keep Redis from others. */
const BATCH_OPERATIONS_MAX = 200
const BATCH_BYTES_MAX = 512 * 1024

/** An append that waits for its answer. */
interface Pending extends Member {
  readonly at: number
  readonly options: AppendOptions
  readonly untilMs: number
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: Error) => void
  /** It was sent, and nothing was heard of it: it may be in the log. */
  inDoubt: boolean
  isSettled: boolean
}

/** What a lane needs of the log around it. */
export interface LanePorts {
  readonly write: (batch: BatchFields, handleSent: () => void) => Promise<Written>
  readonly settled: (outcome: ScriptOutcome, epoch: string, options: AppendOptions) => Outcome | Error
  /** Numbers rise over all lanes. */
  readonly nextNumber: () => number
  readonly waitMs: number
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

  append(operation: Operation, options: AppendOptions): Promise<Outcome> {
    const { collection, at } = operation
    const packed = packOperation(operation, options)
    return new Promise((resolve, reject) => {
      const untilMs = Date.now() + this.#ports.waitMs
      const state = { inDoubt: false, isSettled: false }
      this.#waiting.push({ collection, packed, at, options, untilMs, resolve, reject, ...state })
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
    const retentions = new Map<string, Retention>()
    let bytes = 0
    let count = 0
    for (const { packed, collection, options } of this.#waiting) {
      bytes += packed.length
      const isTooMuch = count >= BATCH_OPERATIONS_MAX || bytes > BATCH_BYTES_MAX
      const known = retentions.get(collection)
      if (count > 0 && (isTooMuch || (known !== undefined && !isSame(known, options.retention)))) break
      retentions.set(collection, options.retention)
      count++
    }
    return this.#waiting.splice(0, count)
  }

  /** Repeats a batch until it is answered, or nothing of it waits any more. */
  async #deliver(batch: readonly Pending[]): Promise<void> {
    const number = this.#ports.nextNumber()
    /**
     * What was sent, by how much it was: an answer may be the one to an earlier attempt, which was longer if something was
     * given up since.
     */
    const attempts = new Map<number, readonly Pending[]>()
    let wasInDoubt = false
    const attempt = async () => {
      this.#sent = batch.filter(({ isSettled }) => !isSettled)
      if (this.#sent.length === 0) return
      attempts.set(this.#sent.length, this.#sent)
      this.#settle(await this.#write(number, this.#sent), attempts)
    }
    const handleFailure = (error: unknown) => {
      this.#failure = failureOf(error)
      // what is refused was not carried out, but an earlier attempt may have been
      if (isAnswer(error)) for (const pending of this.#sent) pending.inDoubt = wasInDoubt
      else wasInDoubt ||= this.#sent.some(({ inDoubt }) => inDoubt)
      if (isPassing(error)) return true
      for (const pending of this.#sent)
        fail(pending, wasInDoubt ? refusedLater(this.#failure) : this.#failure)
      return false
    }
    try {
      await retry(attempt, handleFailure)
      this.#failure = undefined
    } catch {
      // each append was given its failure
    }
    this.#sent = []
  }

  #write(number: number, sent: readonly Pending[]): Promise<Written> {
    const retentions = new Map(sent.map(({ collection, options }) => [collection, options.retention]))
    const nowMs = Math.max(...sent.map(({ at }) => at))
    return this.#ports.write({ number, nowMs, pinMs: 0, retentions, operations: sent }, () => {
      for (const pending of sent) pending.inDoubt = true
    })
  }

  #settle({ epoch, outcomes }: Written, attempts: ReadonlyMap<number, readonly Pending[]>): void {
    const answered = attempts.get(outcomes.length) ?? []
    for (const [index, pending] of answered.entries()) {
      if (pending.isSettled) continue
      const settled = this.#ports.settled(outcomes[index] as ScriptOutcome, epoch, pending.options)
      if (settled instanceof Error) fail(pending, settled)
      else {
        pending.isSettled = true
        pending.resolve(settled)
      }
    }
  }
}

function fail(pending: Pending, error: Error): void {
  pending.isSettled = true
  pending.reject(error)
}

function isSame(a: Retention, b: Retention): boolean {
  if (a === b) return true
  return (
    a.entries === b.entries &&
    a.forMs === b.forMs &&
    a.bytes === b.bytes &&
    a.removalsForMs === b.removalsForMs
  )
}
