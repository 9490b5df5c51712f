import type { History } from "../protocol/message.ts"
import { closed, type Driver } from "./driver.ts"
import { type EventStream, eventStream } from "./event-stream.ts"
import { type Follower, type FollowOptions, follow } from "./follow.ts"
import { Listeners } from "./listeners.ts"
import {
  type Change,
  type EventMeta,
  Subscription,
  type SubscriptionStatus,
  type Told,
} from "./subscription.ts"

export interface FeedPorts {
  readonly driver: Pick<Driver, "add" | "wake" | "later">
  /** How many events a stream holds. */
  readonly bufferedEventsMax: number
  /** Told what a listener threw, and a refusal that nobody listens for. */
  readonly handleError: (error: unknown) => void
}

/** An event as a stream yields it. */
interface StreamedEvent extends EventMeta {
  readonly name: string
  readonly data: unknown
}

/** Who listens to these wants no subscription for that. */
const PASSIVE: ReadonlySet<keyof Told> = new Set(["status", "error", "up", "removed"])

/** Who listens to a channel. Subscribes when somebody begins to. */
export class Feed {
  readonly subscription: Subscription
  readonly #ports: FeedPorts
  /** What `ready` was rejected with last. */
  #rejected: unknown
  /** `change` is told of everything, before those who want to know of one thing. */
  readonly #listeners = new Listeners<Told & { readonly change: readonly [Change] }>()

  constructor(channel: string, history: History | undefined, ports: FeedPorts) {
    this.subscription = new Subscription(channel, history, (change) =>
      ports.driver.later(() => this.#handleChange(change)),
    )
    this.#ports = ports
    ports.driver.add(this.subscription)
  }

  /** @throws HoldfastError `closed` */
  refuseWhenClosed(): void {
    if (this.subscription.status === "closed") throw this.subscription.error ?? closed()
  }

  subscribe(): void {
    this.refuseWhenClosed()
    this.subscription.subscribe()
    this.#ports.driver.wake()
  }

  /** The subscription, to be read: there has to be one. A refusal is not asked about again for that. */
  read(): Subscription {
    if (this.subscription.status === "idle") this.subscribe()
    return this.subscription
  }

  listen<T extends keyof Told>(type: T, listener: (...told: Told[T]) => void, name?: string): () => void {
    this.refuseWhenClosed()
    const off = this.#listeners.add(type, listener as never, name)
    if (!PASSIVE.has(type)) this.read()
    return off
  }

  ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const { status, error } = this.subscription
        if (status === "live") resolve()
        if (isOver(status)) {
          this.#rejected = error
          reject(error ?? closed())
        }
      }
      look()
      const off = this.listen("status", (status) => {
        look()
        if (status !== "subscribing") off()
      })
      this.read()
    })
  }

  /** The events of one name, or of all. */
  events(wanted?: string): EventStream<StreamedEvent>["events"] {
    const { events, push, end } = eventStream<StreamedEvent>(this.#ports.bufferedEventsMax, () => off())
    const off = this.#listenToAll(({ type, told, name }) => {
      if (type === "status" && isOver(told[0])) end(told[1])
      if (type === "event" && (wanted ?? name) === name)
        push({ name: name as string, data: told[0], ...told[1] })
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
      this.#ports.driver.wake()
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
    if (type === "error" && !heard && told[0] !== this.#rejected) handleError(told[0])
    if (told[0] !== "closed" || type !== "status") return
    // the server has ended the client, whose own event says so too
    if (told[1]) this.#listeners.tell(handleError, "error", [told[1]])
    this.#listeners.clear()
  }
}

function isOver(status: SubscriptionStatus): boolean {
  return status === "refused" || status === "closed"
}
