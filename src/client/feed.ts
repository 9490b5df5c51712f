import type { History } from "../protocol/message.ts"
import type { AnyDefinition, ChannelEvent } from "./channel.ts"
import { closed, type Driver } from "./driver.ts"
import { type EventStream, eventStream } from "./event-stream.ts"
import { type Follower, type FollowOptions, follow } from "./follow.ts"
import { Listeners } from "./listeners.ts"
import { type Change, Subscription, type SubscriptionStatus, type Told } from "./subscription.ts"

export interface FeedPorts {
  readonly driver: Pick<Driver, "add" | "wake" | "tell">
  /** Told what a listener threw, and a refusal that nobody listens for. */
  readonly handleError: (error: unknown) => void
  readonly handleUp: () => void
}

/** Who listens to a channel. Subscribes when somebody begins to. */
export class Feed {
  readonly subscription: Subscription
  readonly handleUp: () => void
  readonly #ports: FeedPorts
  /** `change` is told of everything, before those who want to know of one thing. */
  readonly #listeners = new Listeners<Told & { readonly change: readonly [Change] }>()

  constructor(channel: string, history: History | undefined, ports: FeedPorts) {
    this.subscription = new Subscription(channel, history, (change) =>
      ports.driver.tell(() => this.#handleChange(change)),
    )
    this.#ports = ports
    this.handleUp = ports.handleUp
    ports.driver.add(this)
  }

  /** @throws HoldfastError `closed` */
  refuseWhenClosed(): void {
    if (this.subscription.status === "closed") throw closed()
  }

  subscribe(): void {
    this.refuseWhenClosed()
    this.subscription.subscribe()
    this.#ports.driver.wake(this.subscription)
  }

  /** The subscription, to be read: there has to be one. A refusal is not asked about again for that. */
  read(): Subscription {
    if (this.subscription.status === "idle") this.subscribe()
    return this.subscription
  }

  listen<T extends keyof Told>(type: T, listener: (...told: Told[T]) => void, name?: string): () => void {
    this.refuseWhenClosed()
    const off = this.#listeners.add(type, listener as never, name)
    if (type !== "status" && type !== "error") this.read()
    return off
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { status, error } = this.subscription
        if (status === "live") resolve()
        if (isOver(status)) reject(error ?? closed())
      }
      look()
      const off = this.listen("status", (status) => {
        look()
        if (status !== "subscribing") off()
      })
      this.read()
    })
  }

  /** The events of one name, or of all, as a stream that holds `eventsMax`. */
  events(name: string | undefined, eventsMax: number): EventStream<ChannelEvent<AnyDefinition>>["events"] {
    const { events, push, end } = eventStream<ChannelEvent<AnyDefinition>>(eventsMax, () => {
      off()
    })
    const off = this.#listenToAll((change) => {
      if (change.type === "status") {
        const [status, error] = change.told
        if (isOver(status)) end(error)
      }
      if (change.type !== "event" || (name ?? change.name) !== change.name) return
      const [data, meta] = change.told
      push({ name: change.name as string, data, ...meta })
    })
    return events
  }

  follow<Value>(options: FollowOptions<Value>): Follower<Value> {
    const follower = follow(options, {
      listen: (listener) => this.#listenToAll(listener),
      handleError: this.#ports.handleError,
    })
    if (!("initial" in options)) {
      this.subscription.load()
      this.#ports.driver.wake(this.subscription)
    }
    return follower
  }

  #listenToAll(listener: (change: Change) => void): () => void {
    this.refuseWhenClosed()
    const off = this.#listeners.add("change", listener)
    this.read()
    return off
  }

  #handleChange(change: Change): void {
    const { handleError } = this.#ports
    const { type, told } = change
    // what was on its way when the channel was closed
    if (this.subscription.status === "closed" && type !== "status") return
    this.#listeners.tell(handleError, "change", [change])
    const heard = this.#listeners.tell(handleError, type, told as never, change.name)
    if (type === "error" && !heard) handleError(told[0])
    if (told[0] === "closed" && type === "status") this.#listeners.clear()
  }
}

function isOver(status: SubscriptionStatus): boolean {
  return status === "refused" || status === "closed"
}
