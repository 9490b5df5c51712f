import { HoldfastError } from "../protocol/error.ts"
import type { PresenceRequest, ServerMessage, SubscriptionRequest } from "../protocol/message.ts"
import type { Subscription } from "./subscription.ts"

/** What the server was asked for over one line. */
export interface Desk {
  /** By channel, what the subscription's `ask` was. */
  readonly asked: Map<string, object>
  /** Which channel the server's numbers stand for. */
  readonly aliases: Map<number, Subscription | undefined>
  /** How many answers are on their way, by channel. Only the last is about the subscription that is there now. */
  readonly awaited: Map<string, number>
}

export function createDesk(): Desk {
  return { asked: new Map(), aliases: new Map(), awaited: new Map() }
}

/** All subscriptions of a client: which of them a message is for, and which the server has yet to be asked for. */
export class Subscriptions {
  readonly #all = new Map<string, Subscription>()

  add(subscription: Subscription): void {
    this.#all.set(subscription.channel, subscription)
  }

  remove(subscription: Subscription): void {
    subscription.close()
    this.#all.delete(subscription.channel)
  }

  /** What to ask the server for over this line, at most so many. */
  takeRequests({ asked, aliases, awaited }: Desk, countMax: number): SubscriptionRequest[] {
    const requests: SubscriptionRequest[] = []
    for (const subscription of this.#all.values()) {
      const { channel, ask } = subscription
      if (requests.length === countMax) break
      if (!subscription.wants || asked.get(channel) === ask) continue
      asked.set(channel, ask)
      awaited.set(channel, (awaited.get(channel) ?? 0) + 1)
      // what is on its way to the one before comes again: the cursor has to stand still, as the server is told where
      for (const [alias, holder] of aliases) if (holder?.channel === channel) aliases.delete(alias)
      requests.push(subscription.request())
    }
    return requests
  }

  /** The channels that the server was asked for over this line, and that are there no more. */
  takeGone({ asked }: Desk): string[] {
    const gone = [...asked.keys()].filter((channel) => !this.#all.has(channel))
    for (const channel of gone) asked.delete(channel)
    return gone
  }

  /** What this client has entered. */
  presence(): PresenceRequest[] {
    return [...this.#all.values()].flatMap(({ channel, place }) => {
      const placed = place?.()
      return placed ? { channel, ...placed } : []
    })
  }

  handleUp(): void {
    for (const subscription of this.#all.values()) subscription.handleUp()
  }

  /** The line is gone: every channel has to be asked for again. */
  handleDown(): void {
    for (const subscription of this.#all.values()) subscription.handleDown()
  }

  handleEnd(error: HoldfastError | undefined): void {
    for (const subscription of this.#all.values()) subscription.close(error)
    this.#all.clear()
  }

  /** `retry`: asks again for a channel after a while. Returns whether one is to be asked for again at once. */
  handleMessage(
    message: ServerMessage,
    { aliases, awaited }: Desk,
    retry: (ask: () => void) => void,
  ): boolean {
    if (message.type === "subscribed" || message.type === "unsubscribed") {
      const { channel } = message
      const left = (awaited.get(channel) ?? 1) - 1
      awaited.set(channel, left)
      const subscription = this.#all.get(channel)
      // the channel was closed, and perhaps opened again, before this answer came
      if (left > 0 || subscription === undefined) return false
      if (message.type === "subscribed") {
        if (subscription.hasMoved(message.position)) {
          subscription.ask = {}
          return true
        }
        aliases.set(message.alias, subscription)
      } else if (message.code === "log_unavailable") {
        // no refusal, only bad luck
        subscription.isPaused = true
        retry(() => {
          if (subscription.isPaused) subscription.handleEnd()
        })
      } else subscription.handleUnsubscribed(new HoldfastError(message.code, message.message))
    }
    if (message.type === "removed") {
      const { channel, code, message: text } = message
      this.#all.get(channel)?.handleRemoved(new HoldfastError(code, text, message))
    }
    if ("alias" in message) aliases.get(message.alias)?.handleMessage(message)
    return false
  }
}
