import { HoldfastError } from "../protocol/error.ts"
import type { Failure, Result } from "../protocol/message.ts"
import { NEVER_MS } from "./clock.ts"
import type { Wire } from "./transport.ts"

/** A message that gets an answer. It is encoded once, so what is sent again is the same to the byte. */
export interface Request {
  readonly id: number
  readonly wire: Wire
  /**
   * Whether it is sent again after the line was cut: right for what the server recognizes as a repetition, wrong for a
   * call, which may have been carried out.
   */
  readonly repeat: boolean
  /** When it is given up. */
  readonly deadlineMs: number
  /** Called exactly once. */
  readonly settle: (outcome: Result | HoldfastError) => void
}

interface Pending extends Request {
  /** Over the line that is up. */
  sent: boolean
}

/**
 * What was asked of the server and is not answered yet, in the order asked. That order is kept over reconnects:
 * everything unanswered goes out again before anything new.
 */
export class Outbox {
  readonly #entriesMax: number
  readonly #pending = new Map<number, Pending>()
  /** What is yet to be given to the line that is up. */
  #unsent: Pending[] = []
  #nextTimeoutMs = NEVER_MS

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  /** @throws HoldfastError `outbox_full` */
  add(request: Request): void {
    const limit = this.#entriesMax
    if (this.#pending.size >= limit) {
      throw new HoldfastError("outbox_full", `${limit} messages wait for an answer, the limit`, { limit })
    }
    const pending = { ...request, sent: false }
    this.#pending.set(request.id, pending)
    this.#unsent.push(pending)
    this.#nextTimeoutMs = Math.min(this.#nextTimeoutMs, request.deadlineMs)
  }

  /** What to send over the line that is up, in order. */
  takeWires(messageBytesMax: number): Wire[] {
    const wires: Wire[] = []
    for (const pending of this.#unsent.splice(0)) {
      // what was given up in the meantime
      if (!this.#pending.has(pending.id)) continue
      const excess = tooLarge(pending.wire, messageBytesMax)
      pending.sent = true
      if (excess === undefined) wires.push(pending.wire)
      else this.#settle(pending.id, excess)
    }
    return wires
  }

  nextTimeoutMs(): number {
    return this.#nextTimeoutMs
  }

  /** The line is gone: what was sent may or may not have arrived. */
  handleDown(): void {
    for (const { id, sent, repeat } of this.#pending.values()) {
      if (sent && !repeat) {
        this.#settle(
          id,
          new HoldfastError("connection_lost", "The connection was lost before the answer came"),
        )
      }
    }
    this.#unsent = [...this.#pending.values()]
  }

  /** Returns whether anybody waits for this answer. */
  handleAnswer(answer: Result | Failure): boolean {
    return this.#settle(answer.id, answer.type === "result" ? answer : toError(answer))
  }

  handleTimeout(nowMs: number): void {
    if (nowMs < this.#nextTimeoutMs) return
    this.#nextTimeoutMs = NEVER_MS
    for (const { id, deadlineMs } of this.#pending.values()) {
      if (deadlineMs <= nowMs) this.#settle(id, new HoldfastError("timeout", "No answer within the deadline"))
      else this.#nextTimeoutMs = Math.min(this.#nextTimeoutMs, deadlineMs)
    }
  }

  /** Nothing will be answered any more. */
  handleEnd(error: HoldfastError): void {
    for (const id of this.#pending.keys()) this.#settle(id, error)
    this.#nextTimeoutMs = NEVER_MS
  }

  #settle(id: number | undefined, outcome: Result | HoldfastError): boolean {
    const pending = this.#pending.get(id as number)
    // an answer after the deadline, or a second one to what was sent twice
    if (pending === undefined) return false
    this.#pending.delete(pending.id)
    pending.settle(outcome)
    return true
  }
}

/** The server's refusal as the error that it is. */
export function toError(failure: Failure): HoldfastError {
  return new HoldfastError(failure.code, failure.message, failure)
}

/** The error for a message beyond the server's limit. Told here, as the server does not even read one that is far beyond. */
export function tooLarge(wire: Wire, limit: number): HoldfastError | undefined {
  const isText = typeof wire === "string"
  // a UTF-16 code unit takes at most three bytes of UTF-8, so most texts need not be counted
  if (wire.length * (isText ? 3 : 1) <= limit) return undefined
  const bytes = isText ? new TextEncoder().encode(wire).length : wire.length
  if (bytes <= limit) return undefined
  return new HoldfastError("message_too_large", `${bytes} bytes; the server takes ${limit}`, { limit })
}
