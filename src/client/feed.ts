import type { HoldfastError } from "../protocol/error.ts"
import type { AnyDefinition, ChannelEvent } from "./channel.ts"
import { closed, type Driver } from "./driver.ts"
import { type EventStream, eventStream } from "./event-stream.ts"
import { Listeners } from "./listeners.ts"
import type { Change, Subscription, SubscriptionStatus } from "./subscription.ts"
import type { Subscriber } from "./subscriptions.ts"

export interface FeedPorts {
  readonly driver: Pick<Driver, "add" | "subscribe">
  /** Told what a listener threw, and a refusal that nobody listens for. */
  readonly handleError: (error: unknown) => void
  readonly handleUp: () => void
}

type ToldOf<T extends Change["type"]> = Extract<Change, { readonly type: T }>["told"]

/** Who listens to a channel. Subscribes when somebody begins to. */
export class Feed implements Subscriber {
  readonly subscription: Subscription
  readonly handleUp: () => void
  readonly #ports: FeedPorts
  readonly #listeners = new Listeners<[Change]>()
  readonly #errorListeners = new Listeners<[HoldfastError]>()

  constructor(subscription: Subscription, ports: FeedPorts) {
    this.subscription = subscription
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
    this.#ports.driver.subscribe(this)
  }

  /** The subscription, to be read: there has to be one. A refusal is not asked about again for that. */
  read(): Subscription {
    if (this.subscription.status === "idle") this.subscribe()
    return this.subscription
  }

  listen<T extends Change["type"]>(
    type: T,
    listener: (...told: ToldOf<T>) => void,
    name?: string,
  ): () => void {
    this.refuseWhenClosed()
    const off = this.#listeners.add((change) => {
      if (change.type !== type || (name !== undefined && "name" in change && change.name !== name))
        return // `type` says which of the unions it is, but TypeScript does not relate the two
      ;(listener as (...told: readonly unknown[]) => void)(...change.told)
    })
    if (type !== "status") this.read()
    return off
  }

  listenToErrors(listener: (error: HoldfastError) => void): () => void {
    return this.#errorListeners.add(listener)
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
    this.refuseWhenClosed()
    const { events, push, end } = eventStream<ChannelEvent<AnyDefinition>>(eventsMax, () => {
      for (const off of offs) off()
    })
    const offs = [
      this.#listeners.add((change) => {
        if (change.type !== "event" || (name !== undefined && name !== change.name)) return
        const [data, meta] = change.told
        push({ name: change.name, data, ...meta })
      }),
      this.listen("status", (status, error) => isOver(status) && end(error)),
    ]
    this.read()
    return events
  }

  handleChange(change: Change): void {
    const { handleError } = this.#ports
    const isStatus = change.type === "status"
    // what was on its way when the channel was closed
    if (this.subscription.status === "closed" && !isStatus) return
    this.#listeners.tell(handleError, change)
    if (!isStatus) return
    const [status, error] = change.told
    if (status === "closed") this.#listeners.clear()
    if (status !== "refused" || error === undefined) return
    if (this.#errorListeners.size === 0) handleError(error)
    this.#errorListeners.tell(handleError, error)
  }
}

function isOver(status: SubscriptionStatus): boolean {
  return status === "refused" || status === "closed"
}
