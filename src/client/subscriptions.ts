import { HoldfastError } from "../protocol/error.ts"
import type { ServerMessage, SubscriptionRequest, Unsubscribed } from "../protocol/message.ts"
import type { Subscription } from "./subscription.ts"

/** A subscription, and who has to know when the server has let us in, as what belongs to a connection has to be said again. */
export interface Subscriber {
  readonly subscription: Subscription
  readonly handleUp: () => void
}

/** All subscriptions of a client: which of them a message is for, and which the server has yet to be asked for. */
export class Subscriptions {
  readonly #all = new Map<string, Subscriber>()
  /** Which channel the server's numbers stand for, on the line that is up. */
  readonly #aliases = new Map<number, Subscription>()
  /** How many answers are on their way, by channel. Only the last is about the subscription that is there now. */
  readonly #awaited = new Map<string, number>()
  /** Those that may want something of the server. */
  readonly #waiting = new Set<Subscription>()

  add(subscriber: Subscriber): void {
    this.#all.set(subscriber.subscription.channel, subscriber)
  }

  /** It may want something of the server. */
  wake(subscription: Subscription): void {
    this.#waiting.add(subscription)
  }

  remove(subscription: Subscription): void {
    subscription.close()
    this.#forget(subscription)
    this.#all.delete(subscription.channel)
  }

  /** What to ask the server for, at most so many. */
  takeRequests(countMax: number): SubscriptionRequest[] {
    const requests: SubscriptionRequest[] = []
    for (const subscription of this.#waiting) {
      if (requests.length === countMax) break
      this.#waiting.delete(subscription)
      if (!subscription.wants) continue
      const { channel } = subscription
      this.#awaited.set(channel, (this.#awaited.get(channel) ?? 0) + 1)
      requests.push(subscription.request())
    }
    return requests
  }

  /** Takes note of an answer. Returns whether it is about a subscription that was since closed, or made again. */
  isStale(channel: string): boolean {
    const awaited = (this.#awaited.get(channel) ?? 1) - 1
    this.#awaited.set(channel, awaited)
    if (awaited === 0) this.#awaited.delete(channel)
    return awaited > 0
  }

  handleUp(): void {
    for (const subscriber of this.#all.values()) subscriber.handleUp()
  }

  /** The line is gone, or another one comes: every channel has to be asked for again. */
  handleDown(): void {
    this.#aliases.clear()
    this.#awaited.clear()
    for (const { subscription } of this.#all.values()) this.#ask(subscription)
  }

  handleEnd(error: HoldfastError | undefined): void {
    for (const { subscription } of this.#all.values()) subscription.close(error)
    this.#all.clear()
  }

  handleMessage(message: ServerMessage): void {
    if ("alias" in message) {
      if (message.type === "subscribed") this.#alias(message.alias, message.channel)
      // entries may still come in of a channel that was just left
      this.#aliases.get(message.alias)?.handleMessage(message)
    } else if (message.type === "unsubscribed") {
      this.#handleUnsubscribed(message)
    }
  }

  /** Asks again for a channel, from where its cursor stands. */
  handleRetry(channel: string): void {
    const subscriber = this.#all.get(channel)
    if (subscriber !== undefined) this.#ask(subscriber.subscription)
  }

  #handleUnsubscribed({ channel, code, message }: Unsubscribed): void {
    const subscriber = this.#all.get(channel)
    if (subscriber === undefined) return
    this.#forget(subscriber.subscription)
    subscriber.subscription.handleUnsubscribed(new HoldfastError(code, message))
  }

  #ask(subscription: Subscription): void {
    subscription.handleDown()
    this.wake(subscription)
  }

  #alias(alias: number, channel: string): void {
    const subscriber = this.#all.get(channel)
    if (subscriber !== undefined) this.#aliases.set(alias, subscriber.subscription)
  }

  #forget(subscription: Subscription): void {
    for (const [alias, each] of this.#aliases) if (each === subscription) this.#aliases.delete(alias)
  }
}
