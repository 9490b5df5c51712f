import { Buffer } from "node:buffer"
import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Failure, ServerMessage, Unsubscribed } from "../../protocol/message.ts"
import type { Position } from "../../protocol/position.ts"
import { eventStream } from "./encodings.ts"
import type { HttpLink } from "./http-link.ts"
import type { Reply } from "./reply.ts"

/** After how long a browser comes back, in ms. */
const RETRY = Buffer.from("retry: 1000\n\n")

const HEADERS = {
  "Content-Type": "text/event-stream",
  // nginx, and those who learned from it, would gather what is meant to arrive at once
  "X-Accel-Buffering": "no",
}

/**
 * A stream of server-sent events. It begins when so many channels were answered for: until then a refusal is one of the
 * whole request, with a status of its own.
 */
export class EventsLink implements HttpLink {
  readonly encoding = eventStream
  readonly brief = true
  readonly #reply: Reply
  readonly #channels: number
  #connection: HubConnection | undefined
  /** What is to be told when it begins; undefined from then on. */
  #held: Uint8Array[] | undefined = []
  #answered = 0
  #refused = 0
  #refusal: Unsubscribed | undefined
  #failure: Failure | undefined

  constructor(reply: Reply, channels: number) {
    this.#reply = reply
    this.#channels = channels
  }

  open(connection: HubConnection): void {
    this.#connection = connection
  }

  send(message: ServerMessage, position?: Position): boolean {
    if (message.type === "error") this.#failure = message
    const frame = eventStream.frame(message, position)
    const took = this.write(frame)
    if (this.#channels === 0) return message.type === "welcome" ? this.#begin() : took
    if (message.type === "unsubscribed") {
      this.#refused++
      this.#refusal ??= message
    }
    if (message.type !== "unsubscribed" && message.type !== "subscribed") return took
    this.#answered++
    if (this.#refused === this.#channels) this.#refuse()
    else if (this.#answered === this.#channels) return this.#begin()
    return took
  }

  write(bytes: Uint8Array): boolean {
    if (this.#held !== undefined) {
      this.#held.push(bytes)
      // full until it begins: what follows waits in the log
      return false
    }
    const took = this.#reply.write(bytes)
    // the peer has no way to answer a ping: that its socket takes what is written has to do
    if (took) this.#connection?.handleAlive()
    return took
  }

  cork(): void {
    this.#reply.cork()
  }

  uncork(): void {
    this.#reply.uncork()
  }

  /** The peer says nothing beside its request. */
  pause(): void {}
  resume(): void {}

  close(code: number, reason: string): void {
    this.#reply.close(code, reason, this.#failure)
  }

  destroy(): void {
    this.#reply.destroy()
  }

  handleDrain(): void {
    this.#connection?.handleDrain()
  }

  handleGone(): void {
    this.#connection?.handleClose(false)
  }

  #begin(): boolean {
    const held = this.#held ?? []
    this.#held = undefined
    this.#reply.begin(HEADERS)
    const took = this.write(Buffer.concat([RETRY, ...held]))
    // not in the middle of what the hub is about to do with the subscription
    if (took) setImmediate(() => this.handleDrain())
    return took
  }

  #refuse(): void {
    if (this.#held !== undefined && this.#refusal !== undefined) this.#reply.refuse(this.#refusal)
    this.#reply.end()
    this.handleGone()
  }
}
