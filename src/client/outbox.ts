import { HoldfastError } from "../protocol/error.ts"
import type { Failure, Result, Welcome } from "../protocol/message.ts"
import type { OutboxStore } from "./outbox-store.ts"
import type { Wire } from "./transport.ts"

/** A message that gets an answer. It is encoded once, so what is sent again is the same to the byte, unless it is sent anew. */
export interface Request {
  readonly id: number
  readonly channel: string
  readonly wire: Wire
  readonly encodeNow?: () => Wire
  /**
   * Whether it is sent again after the line was cut. `never`: it may have been carried out, as a call. `anew`: encoded again, as
   * what is sent last counts. `keyed`: the server knows it again by its key, for as long as it remembers keys.
   */
  readonly repeat: "never" | "anew" | "keyed"
  /** When it left for the first time, by the server's clock: at the latest then, the server began to remember its key. */
  sentAtMs?: number | undefined
  /** The line that it was sent over last, as long as there is that line. */
  line?: object | undefined
  /** It had left before, with a key, so the server may have carried it out then, whatever it says now. */
  again?: boolean
  /** Called exactly once. */
  readonly settle: (outcome: Result | HoldfastError) => void
}

/** The part of the idempotency window in which a message is sent again. The rest is for the way there, and for clocks that differ. */
const REPEAT_PART = 0.8

/**
 * What was asked of the server and is not answered yet, in the order asked. That order is kept over reconnects:
 * everything unanswered goes out again before anything new, and what the log could not take again before what was published
 * behind it on the same channel.
 */
export class Outbox {
  readonly #entriesMax: number
  readonly #store: OutboxStore | undefined
  readonly #pending = new Map<number, Request>()
  /** What is yet to be given to the line that is up. */
  #unsent: Request[] = []
  /** What the log could not take when it was sent again: it waits for another attempt. */
  readonly #refused = new Set<Request>()

  constructor(entriesMax: number, store?: OutboxStore) {
    this.#entriesMax = entriesMax
    this.#store = store
  }

  get size(): number {
    return this.#pending.size
  }

  /** @throws HoldfastError `outbox_full` */
  add(request: Request, limit = this.#entriesMax): void {
    if (this.size >= limit) {
      throw new HoldfastError("outbox_full", `${limit} messages wait for an answer, the limit`, { limit })
    }
    this.#pending.set(request.id, request)
    this.#unsent.push(request)
    this.#keep(request)
  }

  /** What to send over the line that is up, in order. `nowMs` is of the server's clock. */
  takeWires(line: object, { messageBytesMax, idempotencyWindowMs }: Welcome, nowMs: number): Wire[] {
    const wires: Wire[] = []
    if (this.#unsent.length === 0) return wires
    const waiting = new Set([...this.#refused].map(({ channel }) => channel))
    for (const request of this.#unsent.splice(0)) {
      const { id, channel, repeat, encodeNow, sentAtMs } = request
      const wire = repeat === "anew" && encodeNow ? encodeNow() : request.wire
      // what was given up in the meantime
      if (!this.#pending.has(id)) continue
      if (repeat === "keyed" && waiting.has(channel)) {
        this.#unsent.push(request)
        continue
      }
      const again = repeat === "keyed" && sentAtMs !== undefined
      const inDoubt = again && nowMs - sentAtMs > idempotencyWindowMs * REPEAT_PART
      const error = inDoubt ? new HoldfastError("in_doubt", IN_DOUBT) : tooLarge(wire, messageBytesMax)
      if (error !== undefined) {
        this.settle(id, error)
        continue
      }
      request.line = line
      request.again = again
      request.sentAtMs ??= nowMs
      if (sentAtMs === undefined) this.#keep(request)
      wires.push(wire)
    }
    return wires
  }

  /**
   * The line is gone, or another one takes its place: what was sent may or may not have arrived. `lateCalls`: calls may still be
   * answered over it. Returns whether any are.
   */
  handleDown(line: object, lateCalls = false): boolean {
    let waits = false
    for (const request of this.#pending.values()) {
      if (request.line !== line) continue
      if (request.repeat !== "never") request.line = undefined
      else if (lateCalls) waits = true
      else this.settle(request.id, new HoldfastError("connection_lost", "No answer before the line was lost"))
    }
    this.#refused.clear()
    this.#unsent = [...this.#pending.values()].filter((request) => request.line === undefined)
    return waits
  }

  /**
   * Whether this refusal is not the last word, so that the message is to be sent again after a while: the log can't take it now,
   * but may have done so when it was sent first. What has no key is not sent again: behind what came after it, it would undo that.
   */
  isDoubtful({ id, code }: Failure): boolean {
    const request = this.#pending.get(id as number)
    if (!request?.again || (code !== "log_unavailable" && code !== "in_doubt")) return false
    request.line = undefined
    this.#refused.add(request)
    return true
  }

  /**
   * Only over the same line: another one sends everything again by itself. Returns false when it is to be attempted later: what
   * was asked for behind it is on its way, and if the log takes that, this one is not sent any more.
   */
  sendAgain(id: number): boolean {
    const request = this.#pending.get(id) as Request
    if (!this.#refused.has(request)) return true
    for (const other of this.#pending.values()) if (other.line && isBehind(other, request)) return false
    this.#refused.delete(request)
    this.#unsent.push(request)
    this.#unsent.sort((one, other) => one.id - other.id)
    return true
  }

  /** Returns whether anybody waits for this answer; given a line, for one over that line. */
  handleAnswer(answer: Result | Failure, line?: object): boolean {
    const request = this.#pending.get(answer.id as number)
    if (line && request?.line !== line) return false
    if (answer.type === "result") return this.settle(answer.id, answer)
    // what was sent first may have been taken, or be on its way
    const isInDoubt = request?.again && FULL.has(answer.code)
    return this.settle(answer.id, isInDoubt ? new HoldfastError("in_doubt", REFUSED) : toError(answer))
  }

  /** Whether anything is to be answered over this line. */
  waitsFor(line: object): boolean {
    return [...this.#pending.values()].some((request) => request.line === line)
  }

  /** Nothing will be answered any more. */
  handleEnd(error: HoldfastError): void {
    for (const id of this.#pending.keys()) this.settle(id, error)
  }

  /** Returns whether anybody waits for it: not for an answer after the deadline, or a second one to what was sent twice. */
  settle(id: number | undefined, outcome: Result | HoldfastError): boolean {
    const request = this.#pending.get(id as number)
    if (request === undefined) return false
    this.#pending.delete(request.id)
    this.#refused.delete(request)
    this.#store?.remove(request.id)
    request.settle(outcome)
    if (outcome instanceof HoldfastError) return true
    for (const other of this.#refused) {
      if (isBehind(request, other)) this.settle(other.id, new HoldfastError("in_doubt", OVERTAKEN))
    }
    return true
  }

  #keep({ id, wire, repeat, sentAtMs }: Request): void {
    if (repeat === "keyed") this.#store?.put(id, wire, sentAtMs)
  }
}

/** Whether one was asked for behind the other, where the order matters. */
function isBehind(one: Request, other: Request): boolean {
  return one.channel === other.channel && one.repeat === "keyed" && one.id > other.id
}

/** Codes that say nothing of what was sent earlier. */
const FULL: ReadonlySet<string> = new Set(["quota_exceeded", "log_full"])
const REFUSED = "Sent again, and refused for want of space: what was sent first may be published or not"
const OVERTAKEN =
  "Sent, but the log has what came behind it, and could not take it again: it may be published or not"
const IN_DOUBT = "Sent, but unanswered for too long to be sent again: it may be published or not"

/** The server's refusal as the error that it is. */
export function toError(failure: Failure): HoldfastError {
  return new HoldfastError(failure.code, failure.message, failure)
}

/** The error for a message beyond the server's limit. Told here, as the server does not even read one that is far beyond. */
export function tooLarge(wire: Wire, limit: number): HoldfastError | undefined {
  const { length } = typeof wire === "string" ? new TextEncoder().encode(wire) : wire
  if (length <= limit) return undefined
  return new HoldfastError("message_too_large", `${length} bytes; the server takes ${limit}`, { limit })
}
