import type { HubConnection } from "../../../hub/connection/hub-connection.ts"
import type { Clock } from "../../../hub/ports/clock.ts"
import type { Failure, ServerMessage, SubscriptionRequest } from "../../../protocol/message.ts"
import type { HttpLink } from "../http-link.ts"
import { ListBody } from "../list-body.ts"
import { listItems } from "../list-items.ts"
import type { Reply } from "../reply.ts"

export interface PollOptions {
  readonly clock: Clock
  readonly waitMs: number
  readonly pollWaitMsMax: number
  readonly pollBytesMax: number
  readonly highWaterBytes: number
}

/** How long news of some channels wait for the first answer of a handler about others, in ms. */
const HANDLER_PATIENCE_MS = 100

const NEWS: ReadonlySet<ServerMessage["type"]> = new Set(["unsubscribed", "removed", "gap", "goaway"])

/**
 * A poll: held open until there is something to send, then answered with all that is available. The client can apply the
 * answer as a whole, so it does not end in the middle of a snapshot.
 */
export class PollLink implements HttpLink {
  readonly encoding = listItems
  readonly brief = true
  readonly #reply: Reply
  readonly #list: ListBody
  readonly #options: PollOptions
  readonly #channels: number
  /** Channels without a cursor in the request: that they have one now is worth an answer. */
  readonly #fresh: ReadonlySet<string>
  #connection: HubConnection | undefined
  #failure: Failure | undefined
  #welcomed = false
  #answered = 0
  /** Whether there is anything to send. */
  #hasNews = false
  #checking = false
  /** The answer has enough: the link reports that it is full, so that further entries wait in the log. */
  #stopped = false
  #waited = 0
  /** There has been news for so long that it waits for no handler any more. */
  #isImpatient = false
  #cancelPatience: (() => void) | undefined
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
    if (this.#isNews(message)) this.#handleNews()
    // A poll ends with its answer, so the next one goes to another node at once.
    const sent = message.type === "goaway" && message.reconnect ? { ...message, afterMs: 0 } : message
    return this.#add(listItems.frame(sent))
  }

  write(bytes: Uint8Array): boolean {
    // only a ping is empty
    if (bytes.byteLength > 0) this.#handleNews()
    return this.#add(bytes)
  }

  /** All writes of one turn are in one answer. */
  cork(): void {}
  uncork(): void {}
  /** A request has no more messages to read. */
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
    this.#cancelPatience?.()
    this.#connection?.handleClose(false)
  }

  #isNews(message: ServerMessage): boolean {
    if (message.type === "subscribed") return this.#fresh.has(message.channel)
    return NEWS.has(message.type)
  }

  #handleNews(): void {
    this.#hasNews = true
    this.#cancelPatience ??= this.#options.clock.after(HANDLER_PATIENCE_MS, () => {
      this.#isImpatient = true
      this.#check()
    })
  }

  #add(items: Uint8Array): boolean {
    if (this.#over) return false
    const took = items.byteLength === 0 || this.#list.write(items)
    // The peer cannot answer a ping; instead, a response that takes what is written counts as alive.
    if (took) this.#connection?.handleAlive()
    this.#checkSoon()
    if (!this.#hasEnough) return took
    this.#stopped = true
    return false
  }

  get #hasEnough(): boolean {
    // what was there when it was ended is delivered with the reason
    if (this.#connection?.isWhole !== true || this.#connection.isEnding) return false
    return this.#list.bytes >= this.#options.pollBytesMax
  }

  #wait(): void {
    const { clock, waitMs, pollWaitMsMax } = this.#options
    // A snapshot that is incomplete after the wait may take as long again.
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
    this.#options.clock.soon(() => {
      this.#checking = false
      this.#check()
    })
  }

  #check(): void {
    if (this.#over || !this.#welcomed || this.#connection === undefined) return
    const isUpToDate = this.#answered >= this.#channels && this.#connection.isLive
    // the handler goes on, and the next poll has its outcome
    const isHeldUp = this.#hasNews && this.#isImpatient && this.#connection.isServed
    if (isUpToDate ? this.#hasNews || this.#waited > 0 : this.#hasEnough || this.#waited > 1 || isHeldUp) {
      this.#end()
    } else if (this.#stopped) {
      // Another channel has begun a snapshot.
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
