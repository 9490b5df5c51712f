import { HoldfastError } from "../protocol/error.ts"
import type { ServerMessage, SubscriptionRequest } from "../protocol/message.ts"
import type { Change, Subscription } from "./subscription.ts"

/** A subscription, and who is told of it. */
export interface Subscriber {
  readonly subscription: Subscription
  readonly handleChange: (change: Change) => void
  /** The server has let us in: what belongs to a connection has to be said again. */
  readonly handleUp: () => void
}

/** All subscriptions of a client: which of them a message is for, and which the server has yet to be asked for. */
export class Subscriptions {
  readonly #all = new Map<string, Subscriber>()
  /** Which channel the server's numbers stand for, on the line that is up. */
  readonly #aliases = new Map<number, Subscriber>()
  /** How many answers are on their way, by channel. Only the last is about the subscription that is there now. */
  readonly #awaited = new Map<string, number>()
  /** Those that may want something of the server, or have something to tell. */
  readonly #touched = new Set<Subscriber>()

  add(subscriber: Subscriber): void {
    this.#all.set(subscriber.subscription.channel, subscriber)
  }

  /** The subscription was changed from outside. */
  touch(subscriber: Subscriber): void {
    this.#touched.add(subscriber)
  }

  remove(subscriber: Subscriber): void {
    const { subscription } = subscriber
    subscription.close()
    this.touch(subscriber)
    this.#forget(subscription)
    this.#all.delete(subscription.channel)
  }

  /** What to ask the server for, at most so many. */
  takeRequests(countMax: number): SubscriptionRequest[] {
    return [...this.#touched]
      .filter(({ subscription }) => subscription.status === "subscribing" && !subscription.requested)
      .slice(0, countMax)
      .map(({ subscription }) => {
        const { channel } = subscription
        this.#awaited.set(channel, (this.#awaited.get(channel) ?? 0) + 1)
        return subscription.request()
      })
  }

  /** Takes note of an answer. Returns whether it is about a subscription that was since closed, or made again. */
  isStale(channel: string): boolean {
    const awaited = (this.#awaited.get(channel) ?? 1) - 1
    this.#awaited.set(channel, awaited)
    if (awaited === 0) this.#awaited.delete(channel)
    return awaited > 0
  }

  /** What to tell, in order, and whom. */
  takeChanges(): (() => void)[] {
    const touched = [...this.#touched]
    this.#touched.clear()
    return touched.flatMap((subscriber) =>
      subscriber.subscription.takeChanges().map((change) => () => subscriber.handleChange(change)),
    )
  }

  handleUp(): void {
    for (const subscriber of this.#all.values()) {
      this.touch(subscriber)
      subscriber.handleUp()
    }
  }

  /** The line is gone, or another one comes: every channel has to be asked for again. */
  handleDown(): void {
    this.#aliases.clear()
    this.#awaited.clear()
    for (const subscriber of this.#all.values()) {
      subscriber.subscription.handleDown()
      this.touch(subscriber)
    }
  }

  handleEnd(error: HoldfastError | undefined): void {
    for (const subscriber of this.#all.values()) {
      subscriber.subscription.close(error)
      this.touch(subscriber)
    }
    this.#all.clear()
  }

  handleMessage(message: ServerMessage): void {
    if ("alias" in message) {
      if (message.type === "subscribed") this.#alias(message.alias, message.channel)
      const subscriber = this.#aliases.get(message.alias)
      // entries may still come in of a channel that was just left
      if (subscriber === undefined) return
      this.touch(subscriber)
      subscriber.subscription.handleMessage(message)
    } else if (message.type === "unsubscribed") {
      const subscriber = this.#all.get(message.channel)
      if (subscriber === undefined) return
      this.#forget(subscriber.subscription)
      this.touch(subscriber)
      subscriber.subscription.handleUnsubscribed(new HoldfastError(message.code, message.message))
    }
  }

  /** Asks again for a channel, from where its cursor stands. */
  handleRetry(channel: string): void {
    const subscriber = this.#all.get(channel)
    if (subscriber === undefined) return
    subscriber.subscription.handleDown()
    this.touch(subscriber)
  }

  #alias(alias: number, channel: string): void {
    const subscriber = this.#all.get(channel)
    if (subscriber !== undefined) this.#aliases.set(alias, subscriber)
  }

  #forget(subscription: Subscription): void {
    for (const [alias, subscriber] of this.#aliases) {
      if (subscriber.subscription === subscription) this.#aliases.delete(alias)
    }
  }
}
