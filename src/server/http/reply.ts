import type { Clock } from "../../hub/ports/clock.ts"
import { closeCodes } from "../../protocol/close.ts"
import type { Failure } from "../../protocol/message.ts"
import { type Answer, sendAnswer } from "./answer.ts"
import type { ResponseHeaders, ResponseSink, SinkOwner } from "./exchange.ts"
import { type ProblemOptions, problemOf, type Refusal } from "./problem.ts"

export interface ReplyOptions {
  readonly clock: Clock
  /** How long the peer may take for the end of the response, before it is destroyed. */
  readonly lingerMs: number
}

/** The status of a connection that the hub refuses, by the code that it closes with. */
const statusOf: ReadonlyMap<number, number> = new Map([
  [closeCodes.protocolError.code, 400],
  [closeCodes.unauthorized.code, 401],
  [closeCodes.disconnected.code, 403],
  [closeCodes.goingAway.code, 503],
  [closeCodes.timeout.code, 503],
])

function codeOf(closeCode: number): string {
  return closeCode === closeCodes.disconnected.code ? "disconnected" : "closed"
}

/** The response to one request: a refusal, a whole answer, or a body that is written as fast as the peer reads. */
export class Reply {
  readonly #response: ResponseSink
  readonly #options: ReplyOptions
  #headers: ResponseHeaders = {}
  #begun = false
  #cancelLinger: (() => void) | undefined

  constructor(response: ResponseSink, options: ReplyOptions) {
    this.#response = response
    this.#options = options
  }

  /** Starts to notify `owner`. */
  open({ handleDrain, handleGone }: SinkOwner): void {
    this.#response.open({
      handleDrain,
      handleGone: () => {
        this.#cancelLinger?.()
        handleGone()
      },
    })
  }

  get isOpen(): boolean {
    return this.#response.isOpen
  }

  /** Adds these headers to whatever the answer will be. */
  addHeaders(headers: ResponseHeaders): void {
    this.#headers = { ...this.#headers, ...headers }
  }

  /** Begins a successful response, whose body follows. */
  begin(headers: ResponseHeaders): void {
    this.#begun = true
    this.#response.begin(200, { "Cache-Control": "no-store", ...this.#headers, ...headers })
  }

  /** Returns false when the sink holds more than its high-water mark, or is closed. */
  write(bytes: Uint8Array): boolean {
    return this.#response.isOpen && this.#response.write(bytes)
  }

  cork(): void {
    this.#response.cork()
  }

  uncork(): void {
    this.#response.uncork()
  }

  end(bytes?: Uint8Array): void {
    if (!this.isOpen) return
    this.#response.end(bytes)
    // A peer that reads nothing any more would keep the response for ever.
    this.#cancelLinger = this.#options.clock.after(this.#options.lingerMs, () => this.destroy())
  }

  /** Answers the request as a whole, unless its response has begun or its peer has gone. */
  answer({ headers, ...answer }: Answer): void {
    if (this.#begun || !this.isOpen) return
    this.#begun = true
    sendAnswer(this.#response, { ...answer, headers: { ...this.#headers, ...headers } })
  }

  /** Answers with a problem, unless the response has begun or its peer has gone. */
  refuse(refusal: Refusal, options?: ProblemOptions): void {
    this.answer(problemOf(refusal, options))
  }

  /** Ends what the hub has closed with `code`: the response if it has begun, otherwise the request with a problem. */
  close(code: number, reason: string, failure: Failure | undefined): void {
    if (this.#begun) this.end()
    else
      this.refuse(failure ?? { code: codeOf(code), message: reason }, { status: statusOf.get(code) ?? 500 })
  }

  destroy(): void {
    this.#response.destroy()
  }
}
