import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http"
import type { Clock } from "../../hub/ports/clock.ts"
import { closeCodes } from "../../protocol/close.ts"
import type { Failure } from "../../protocol/message.ts"
import { answerProblem, type ProblemOptions, type Refusal } from "./problem.ts"

/** Who is told what happens to a reply. */
export interface ReplyOwner {
  /** The socket was full, and has taken everything. */
  readonly handleDrain: () => void
  /** The response is over, or its peer has gone. Comes once. */
  readonly handleGone: () => void
}

export interface ReplyOptions {
  readonly clock: Clock
  readonly highWaterBytes: number
  /** How long the peer may take for the end of the response, before its line is cut. */
  readonly lingerMs: number
}

/** With which status a connection is refused, by the code that it is closed with. */
const statusOf: ReadonlyMap<number, number> = new Map([
  [closeCodes.protocolError.code, 400],
  [closeCodes.unauthorized.code, 401],
  [closeCodes.disconnected.code, 403],
  [closeCodes.goingAway.code, 503],
  [closeCodes.timeout.code, 503],
])

/** The response to one request: written whole or piece by piece, and as slowly as its peer takes it. */
export class Reply {
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #options: ReplyOptions
  #full = false
  #cancel: (() => void) | undefined

  constructor(request: IncomingMessage, response: ServerResponse, options: ReplyOptions) {
    this.#request = request
    this.#response = response
    this.#options = options
  }

  /** Starts to tell `owner`. */
  open({ handleDrain, handleGone }: ReplyOwner): void {
    this.#response.on("drain", () => {
      if (!this.#full) return
      this.#full = false
      handleDrain()
    })
    this.#response.once("close", () => {
      this.#cancel?.()
      handleGone()
    })
    // what becomes of it is seen by `close`
    this.#response.on("error", () => undefined)
  }

  get isOpen(): boolean {
    return !this.#response.writableEnded && !this.#response.destroyed
  }

  begin(headers: OutgoingHttpHeaders): void {
    this.#response.writeHead(200, { "Cache-Control": "no-store", ...headers })
  }

  /** Returns false when the socket holds more than its mark. */
  write(bytes: Uint8Array): boolean {
    if (!this.isOpen) return false
    const flows = this.#response.write(bytes)
    if (flows || this.#response.writableLength <= this.#options.highWaterBytes) return true
    this.#full = true
    return false
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
    // one that takes nothing any more would be there for ever
    this.#cancel = this.#options.clock.after(this.#options.lingerMs, () => this.destroy())
  }

  /** Tells that nothing comes of the request, unless its answer has begun. */
  refuse(refusal: Refusal, options?: ProblemOptions): void {
    answerProblem(this.#request, this.#response, refusal, options)
  }

  /** Ends what the hub has ended, with `code`: the response, or the hope of one. */
  close(code: number, reason: string, failure: Failure | undefined): void {
    if (this.#response.headersSent) this.end()
    else this.refuse(failure ?? { code: "closed", message: reason }, { status: statusOf.get(code) ?? 500 })
  }

  destroy(): void {
    this.#response.destroy()
  }
}
