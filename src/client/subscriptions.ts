import { HoldfastError } from "../protocol/error.ts"
import type { ServerMessage, SubscriptionRequest } from "../protocol/message.ts"
import type { Subscription } from "./subscription.ts"

/** All subscriptions of a client: which of them a message is for, and which the server has yet to be asked for. */
export class Subscriptions {
  readonly #all = new Map<string, Subscription>()
  /** Which channel the server's numbers stand for, on the line that is up. */
  readonly #aliases = new Map<number, Subscription | undefined>()
  /** How many answers are on their way, by channel. Only the last is about the subscription that is there now. */
  readonly #awaited = new Map<string, number>()
  /** Those that may want something of the server. */
  readonly #waiting = new Set<Subscription>()

  add(subscription: Subscription): void {
    this.#all.set(subscription.channel, subscription)
  }

  /** It may want something of the server. */
  wake(subscription: Subscription): void {
    this.#waiting.add(subscription)
  }

  remove(subscription: Subscription): void {
    subscription.close()
    this.#aliases.delete(subscription.alias)
    this.#all.delete(subscription.channel)
  }

  /** What to ask the server for, at most so many. */
  takeRequests(countMax: number): SubscriptionRequest[] {
    const requests: SubscriptionRequest[] = []
    for (const subscription of this.#waiting) {
      if (requests.length === countMax) break
      this.#waiting.delete(subscription)
      if (!subscription.wants) continue
      // what is on its way to the one before comes again: the cursor has to stand still, as the server is told where
      this.#aliases.delete(subscription.alias)
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
    for (const subscription of this.#all.values()) subscription.handleUp()
  }

  /** The line is gone, or another one comes: every channel has to be asked for again. */
  handleDown(): void {
    this.#aliases.clear()
    this.#awaited.clear()
    for (const subscription of this.#all.values()) {
      // over the next line, the number may be another channel's
      subscription.alias = -1
      this.#ask(subscription)
    }
  }

  handleEnd(error: HoldfastError | undefined): void {
    for (const subscription of this.#all.values()) subscription.close(error)
    this.#all.clear()
  }

  handleMessage(message: ServerMessage): void {
    if ("alias" in message) {
      if (message.type === "subscribed") this.#aliases.set(message.alias, this.#all.get(message.channel))
      // entries may still come in of a channel that was just left
      this.#aliases.get(message.alias)?.handleMessage(message)
    } else if (message.type === "unsubscribed") {
      const subscription = this.#all.get(message.channel)
      if (subscription === undefined) return
      this.#aliases.delete(subscription.alias)
      subscription.handleUnsubscribed(new HoldfastError(message.code, message.message))
    }
  }

  /** Asks again for a channel, from where its cursor stands. */
  handleRetry(channel: string): void {
    const subscription = this.#all.get(channel)
    if (subscription !== undefined) this.#ask(subscription)
  }

  #ask(subscription: Subscription): void {
    subscription.handleDown()
    this.wake(subscription)
  }
}
