import type { HubConnection } from "../../../hub/connection/hub-connection.ts"
import type { Clock } from "../../../hub/ports/clock.ts"
import { json } from "../../../protocol/json.ts"
import type { ClientMessage, Failure, ServerMessage } from "../../../protocol/message.ts"
import type { HttpLink } from "../http-link.ts"
import { ListBody } from "../list-body.ts"
import { listItems } from "../list-items.ts"
import type { Reply } from "../reply.ts"

const encoder = new TextEncoder()

/** A message that a request may send. */
export type SendMessage = Extract<
  ClientMessage,
  { readonly type: "publish" | "set" | "delete" | "call" | "signal" | "enter" | "leave" }
>

export interface SendOptions {
  readonly clock: Clock
  readonly highWaterBytes: number
  readonly messageBytesMax: number
  /** The length of the whole request. */
  readonly bytes: number
}

/** The messages of one request: passed to the hub one by one as fast as it handles them, until each has its answer. */
export class SendLink implements HttpLink {
  readonly encoding = listItems
  readonly brief = true
  readonly #reply: Reply
  readonly #list: ListBody
  readonly #messages: readonly SendMessage[]
  readonly #options: SendOptions
  readonly #unanswered: Set<number>
  #connection: HubConnection | undefined
  #failure: Failure | undefined
  #welcomed = false
  #paused = false
  #next = 0
  #over = false

  constructor(reply: Reply, messages: readonly SendMessage[], options: SendOptions) {
    this.#reply = reply
    this.#list = new ListBody(reply, options.highWaterBytes)
    this.#messages = messages
    this.#options = options
    this.#unanswered = new Set(messages.flatMap((message) => ("id" in message ? [message.id] : [])))
  }

  open(connection: HubConnection): void {
    this.#connection = connection
  }

  send(message: ServerMessage): boolean {
    if (this.#over) return false
    if (message.type === "welcome") {
      this.#welcomed = true
      this.#feed()
      return true
    }
    if (message.type === "removed") return this.#list.write(listItems.frame(message))
    if (message.type !== "result" && message.type !== "error") return true
    if (!this.#welcomed && message.type === "error") this.#failure = message
    const took = this.#list.write(listItems.frame(message))
    if (message.id !== undefined) this.#unanswered.delete(message.id)
    this.#endIfDone()
    return took
  }

  /** Only pings come here: the request still waits for its answers. */
  write(): boolean {
    this.#connection?.handleAlive()
    return !this.#over
  }

  cork(): void {}
  uncork(): void {}

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#feed()
  }

  close(code: number, reason: string): void {
    if (this.#over) return
    this.#over = true
    // Answers so far are sent; the client can repeat the other messages.
    if (this.#list.bytes > 0 && this.#welcomed) this.#list.end()
    else this.#reply.close(code, reason, this.#failure)
  }

  destroy(): void {
    this.#reply.destroy()
  }

  handleDrain(): void {
    this.#connection?.handleDrain()
  }

  handleGone(): void {
    this.#over = true
    this.#connection?.handleClose(true)
  }

  #feed(): void {
    while (this.#welcomed && !this.#paused && !this.#over) {
      const message = this.#messages[this.#next++]
      if (message === undefined) break
      this.#connection?.handleMessage(message, this.#bytesOf(message))
    }
    this.#endIfDone()
  }

  /** The parts of a small request need no measuring. */
  #bytesOf(message: SendMessage): number {
    const { bytes, messageBytesMax } = this.#options
    return bytes <= messageBytesMax ? bytes : encoder.encode(json.encode(message)).byteLength
  }

  #endIfDone(): void {
    if (this.#unanswered.size > 0 || this.#next < this.#messages.length) return
    // Later, because signals have no answer, but some are refused within this turn.
    this.#options.clock.soon(() => {
      if (this.#over) return
      this.handleGone()
      this.#list.end()
    })
  }
}
