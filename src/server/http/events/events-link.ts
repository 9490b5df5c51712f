import type { HubConnection } from "../../../hub/connection/hub-connection.ts"
import type { Clock } from "../../../hub/ports/clock.ts"
import type { Failure, ServerMessage, Unsubscribed } from "../../../protocol/message.ts"
import type { Position } from "../../../protocol/position.ts"
import type { HttpLink } from "../http-link.ts"
import { joinBytes } from "../join-bytes.ts"
import type { Reply } from "../reply.ts"
import { eventStream } from "./event-stream.ts"

/** How long a browser waits before it reconnects, in ms. */
const RETRY = new TextEncoder().encode("retry: 1000\n\n")

const HEADERS = {
  "Content-Type": "text/event-stream",
  // nginx and compatible proxies would buffer events otherwise.
  "X-Accel-Buffering": "no",
}

/**
 * A stream of server-sent events. It begins when the subscriptions to `channels` channels are answered: if all of them are
 * refused, the request is refused, with a status of its own.
 */
export class EventsLink implements HttpLink {
  readonly encoding = eventStream
  readonly brief = true
  readonly #reply: Reply
  readonly #channels: number
  readonly #clock: Clock
  #connection: HubConnection | undefined
  /** Frames until the stream begins; undefined from then on. */
  #held: Uint8Array[] | undefined = []
  #answered = 0
  #refused = 0
  #refusal: Unsubscribed | undefined
  #failure: Failure | undefined

  constructor(reply: Reply, channels: number, clock: Clock) {
    this.#reply = reply
    this.#channels = channels
    this.#clock = clock
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
      // Entries wait in the log until the stream begins.
      return false
    }
    const took = this.#reply.write(bytes)
    // The peer cannot answer a ping; instead, a response that takes what is written counts as alive.
    if (took) this.#connection?.handleAlive()
    return took
  }

  cork(): void {
    this.#reply.cork()
  }

  uncork(): void {
    this.#reply.uncork()
  }

  /** A request has no more messages to read. */
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
    const took = this.write(joinBytes([RETRY, ...held]))
    // Later, because the hub is in the middle of a subscription now.
    if (took) this.#clock.soon(() => this.handleDrain())
    return took
  }

  #refuse(): void {
    if (this.#held !== undefined && this.#refusal !== undefined) this.#reply.refuse(this.#refusal)
    this.#reply.end()
    this.handleGone()
  }
}
