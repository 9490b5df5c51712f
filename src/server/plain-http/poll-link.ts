import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Clock } from "../../hub/ports/clock.ts"
import type { Failure, ServerMessage, SubscriptionRequest } from "../../protocol/message.ts"
import { listItems } from "./encodings.ts"
import type { HttpLink } from "./http-link.ts"
import { ListBody } from "./list-body.ts"
import type { Reply } from "./reply.ts"

export interface PollOptions {
  readonly clock: Clock
  readonly waitMs: number
  readonly pollWaitMsMax: number
  readonly pollBytesMax: number
  readonly highWaterBytes: number
}

/**
 * A poll: it is held open until there is something to tell, tells what can be had at once, and is over. What it tells can be
 * applied as a whole, so it does not end in the middle of a snapshot.
 */
export class PollLink implements HttpLink {
  readonly encoding = listItems
  readonly brief = true
  readonly #reply: Reply
  readonly #list: ListBody
  readonly #options: PollOptions
  readonly #channels: number
  /** Those that come without a cursor: it is worth an answer that they have one now. */
  readonly #fresh: ReadonlySet<string>
  #connection: HubConnection | undefined
  #failure: Failure | undefined
  #welcomed = false
  #answered = 0
  /** Whether there is anything to tell. */
  #telling = false
  #checking = false
  /** It has enough, and says that it is full, so that what else there is waits in the log. */
  #stopped = false
  #waited = 0
  #over = false
  #cancel: () => void = () => {}

  constructor(reply: Reply, subscriptions: readonly SubscriptionRequest[], options: PollOptions) {
    this.#reply = reply
    this.#list = new ListBody(reply, options.highWaterBytes)
    this.#options = options
    this.#channels = subscriptions.length
    this.#fresh = new Set(
      subscriptions.filter(({ position }) => position === undefined).map(({ channel }) => channel),
    )
  }

  open(connection: HubConnection): void {
    this.#connection = connection
    this.#wait()
  }

  send(message: ServerMessage): boolean {
    if (message.type === "error") this.#failure = message
    if (message.type === "welcome") this.#welcomed = true
    if (message.type === "subscribed" || message.type === "unsubscribed") this.#answered++
    if (this.#isNews(message)) this.#telling = true
    // with its answer a poll is over, and there is nothing left to be served by: the next one goes elsewhere at once
    const told = message.type === "goaway" && message.reconnect ? { ...message, afterMs: 0 } : message
    return this.#add(listItems.frame(told))
  }

  write(bytes: Uint8Array): boolean {
    // nothing but a ping is empty
    if (bytes.byteLength > 0) this.#telling = true
    return this.#add(bytes)
  }

  /** Whatever comes in one turn goes out in one answer. */
  cork(): void {}
  uncork(): void {}
  /** The peer says nothing beside its request. */
  pause(): void {}
  resume(): void {}

  handleLive(): void {
    this.#checkSoon()
  }

  close(code: number, reason: string): void {
    if (this.#welcomed) this.#end()
    else this.#reply.close(code, reason, this.#failure)
  }

  destroy(): void {
    this.#reply.destroy()
  }

  handleDrain(): void {
    if (!this.#stopped) this.#connection?.handleDrain()
  }

  handleGone(): void {
    this.#over = true
    this.#cancel()
    this.#connection?.handleClose(false)
  }

  #isNews(message: ServerMessage): boolean {
    if (message.type === "subscribed") return this.#fresh.has(message.channel)
    return message.type === "unsubscribed" || message.type === "gap" || message.type === "goaway"
  }

  #add(items: Uint8Array): boolean {
    if (this.#over) return false
    const took = items.byteLength === 0 || this.#list.write(items)
    // the peer has no way to answer a ping: that its socket takes what is written has to do
    if (took) this.#connection?.handleAlive()
    this.#checkSoon()
    if (!this.#hasEnough) return took
    this.#stopped = true
    return false
  }

  get #hasEnough(): boolean {
    return this.#list.bytes >= this.#options.pollBytesMax && this.#connection?.isWhole === true
  }

  #wait(): void {
    const { clock, waitMs, pollWaitMsMax } = this.#options
    // what is on its way when the wait is over may take as long again
    const ms = this.#waited === 0 ? waitMs : pollWaitMsMax
    this.#cancel = clock.after(ms, () => {
      this.#waited++
      if (this.#waited === 1) this.#wait()
      this.#check()
    })
  }

  #checkSoon(): void {
    if (this.#checking) return
    this.#checking = true
    setImmediate(() => {
      this.#checking = false
      this.#check()
    })
  }

  #check(): void {
    if (this.#over || !this.#welcomed || this.#connection === undefined) return
    const isUpToDate = this.#answered >= this.#channels && this.#connection.isLive
    if (isUpToDate ? this.#telling || this.#waited > 0 : this.#hasEnough || this.#waited > 1) {
      this.#end()
    } else if (this.#stopped) {
      // another channel has begun to tell a snapshot
      this.#stopped = false
      this.#connection.handleDrain()
    }
  }

  #end(): void {
    if (this.#over) return
    this.handleGone()
    this.#list.end()
  }
}
