import type { Wire } from "../client/transport.ts"
import type { ServerMessage, SubscriptionRequest, Unsubscribed } from "../protocol/message.ts"
import { SharedStream, type StreamMessage } from "./shared-stream.ts"

export interface StreamsPorts<Tab> {
  readonly subscribe: (request: SubscriptionRequest) => void
  readonly unsubscribe: (channel: string) => void
  readonly encode: (message: StreamMessage | Unsubscribed) => Wire
  readonly send: (tab: Tab, wire: Wire) => void
}

/** All channels of the connection that tabs share: which of them a message is for. */
export class SharedStreams<Tab> {
  readonly #ports: StreamsPorts<Tab>
  readonly #all = new Map<string, SharedStream<Tab>>()
  /** By the server's number, on the line that is up. */
  readonly #byAlias = new Map<number, SharedStream<Tab>>()
  /** How many answers to subscriptions are on their way, by channel: only the last is about the stream that is there. */
  readonly #awaited = new Map<string, number>()
  #lastAlias = 0

  constructor(ports: StreamsPorts<Tab>) {
    this.#ports = ports
  }

  /** `pump` has to follow. */
  add(tab: Tab, request: SubscriptionRequest): void {
    const { channel } = request
    const stream = this.#all.get(channel) ?? this.#open(channel)
    stream.add(tab, request)
  }

  /** The tab lets one channel go, or all. */
  remove(tab: Tab, only?: string): void {
    for (const [channel, stream] of this.#all) {
      if (only !== undefined && channel !== only) continue
      stream.remove(tab)
      if (!stream.isFollowed) this.#forget(channel, stream)
    }
  }

  /** Asks the server for what it has to be asked for: of one channel, or of all. */
  pump(only?: string): void {
    if (only !== undefined) this.#all.get(only)?.pump()
    else for (const stream of this.#all.values()) stream.pump()
  }

  /** What to begin another line with, or another request of it: at most so many. The rest is for `pump`. */
  begin(countMax: number): SubscriptionRequest[] {
    const requests: SubscriptionRequest[] = []
    this.#awaited.clear()
    for (const [channel, stream] of this.#all) {
      stream.handleDown()
      if (requests.length === countMax) continue
      const request = stream.next()
      if (request === undefined) continue
      this.#await(channel)
      requests.push(request)
    }
    return requests
  }

  handleMessage(message: ServerMessage): void {
    if ("channel" in message && message.type !== "error" && this.#isStale(message.channel)) return
    if (message.type === "unsubscribed") {
      const stream = this.#all.get(message.channel)
      if (stream === undefined) return
      stream.handleUnsubscribed(message)
      this.#forget(message.channel, stream)
    } else if ("alias" in message) {
      const stream = message.type === "subscribed" ? this.#all.get(message.channel) : undefined
      if (stream !== undefined) {
        this.#unname(stream)
        this.#byAlias.set(message.alias, stream)
      }
      this.#byAlias.get(message.alias)?.handleMessage(message)
    }
  }

  #open(channel: string): SharedStream<Tab> {
    const { subscribe, unsubscribe, encode, send } = this.#ports
    const stream = new SharedStream<Tab>(channel, ++this.#lastAlias, {
      subscribe: (request) => {
        this.#await(channel)
        subscribe(request)
      },
      unsubscribe: () => unsubscribe(channel),
      encode,
      send,
    })
    this.#all.set(channel, stream)
    return stream
  }

  #forget(channel: string, stream: SharedStream<Tab>): void {
    this.#all.delete(channel)
    this.#unname(stream)
  }

  /** The server's number for it is another from now on, or none. */
  #unname(stream: SharedStream<Tab>): void {
    for (const [alias, named] of this.#byAlias) if (named === stream) this.#byAlias.delete(alias)
  }

  #await(channel: string): void {
    this.#awaited.set(channel, (this.#awaited.get(channel) ?? 0) + 1)
  }

  /** Takes note of an answer. Returns whether it is about a stream that was since given up, or begun anew. */
  #isStale(channel: string): boolean {
    const awaited = (this.#awaited.get(channel) ?? 1) - 1
    this.#awaited.set(channel, awaited)
    if (awaited === 0) this.#awaited.delete(channel)
    return awaited > 0
  }
}
