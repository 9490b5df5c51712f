import { Buffer } from "node:buffer"
import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import { json } from "../../protocol/json.ts"
import type { ClientMessage, Failure, ServerMessage } from "../../protocol/message.ts"
import { listItems } from "./encodings.ts"
import type { HttpLink } from "./http-link.ts"
import { ListBody } from "./list-body.ts"
import type { Reply } from "./reply.ts"

/** A message that a request may carry up. */
export type UpwardMessage = Extract<
  ClientMessage,
  { readonly type: "publish" | "set" | "delete" | "call" | "signal" | "enter" | "leave" }
>

export interface SendOptions {
  readonly highWaterBytes: number
  readonly messageBytesMax: number
  /** The length of the whole request. */
  readonly bytes: number
}

/** Messages on their way up: handed in one after the other as fast as they are handled, until each has its answer. */
export class SendLink implements HttpLink {
  readonly encoding = listItems
  readonly brief = true
  readonly #reply: Reply
  readonly #list: ListBody
  readonly #messages: readonly UpwardMessage[]
  readonly #options: SendOptions
  readonly #unanswered: Set<number>
  #connection: HubConnection | undefined
  #failure: Failure | undefined
  #welcomed = false
  #paused = false
  #next = 0
  #over = false

  constructor(reply: Reply, messages: readonly UpwardMessage[], options: SendOptions) {
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
    if (message.type !== "result" && message.type !== "error") return true
    if (!this.#welcomed && message.type === "error") this.#failure = message
    const took = this.#list.write(listItems.frame(message))
    if (message.id !== undefined) this.#unanswered.delete(message.id)
    this.#endIfDone()
    return took
  }

  /** Only pings come here, which mean that the connection is still waited for. */
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
    // what was answered is told; what was not can be sent again
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

  /** A request that is small as a whole needs no measuring of its parts. */
  #bytesOf(message: UpwardMessage): number {
    const { bytes, messageBytesMax } = this.#options
    return bytes <= messageBytesMax ? bytes : Buffer.byteLength(json.encode(message))
  }

  #endIfDone(): void {
    if (this.#unanswered.size > 0 || this.#next < this.#messages.length) return
    // signals have no answer, but those that are refused at once are told of
    setImmediate(() => {
      if (this.#over) return
      this.handleGone()
      this.#list.end()
    })
  }
}
