import { Channel, type ChannelPorts, type ChannelSubscription } from "./channel.ts"
import type { Target } from "./target.ts"

/** Told what is followed, and what no more. */
export interface ChannelsHandlers {
  readonly handleOpen: (channel: Channel) => void
  readonly handleClose: (channel: Channel) => void
}

/** The channels that this node follows: those that somebody here subscribes to. */
export class Channels {
  readonly #ports: ChannelPorts
  readonly #handlers: ChannelsHandlers
  readonly #opening = new Map<string, Promise<Channel>>()
  readonly #open = new Map<string, Channel>()
  /** Who is about to subscribe, by channel: it stays open for them. */
  readonly #held = new Map<string, number>()
  #lastAlias = 0

  constructor(ports: ChannelPorts, handlers: ChannelsHandlers) {
    this.#ports = ports
    this.#handlers = handlers
  }

  /** How many are followed. */
  get size(): number {
    return this.#open.size
  }

  find(name: string): Channel | undefined {
    return this.#open.get(name)
  }

  /** The channel, opened if it is not, and held open until `release`. */
  async acquire(target: Target): Promise<Channel> {
    this.#held.set(target.name, (this.#held.get(target.name) ?? 0) + 1)
    try {
      return this.#open.get(target.name) ?? (await this.#opened(target))
    } catch (error) {
      this.release(target.name)
      throw error
    }
  }

  release(name: string): void {
    const held = (this.#held.get(name) ?? 1) - 1
    if (held > 0) this.#held.set(name, held)
    else this.#held.delete(name)
    this.#closeIfUnused(name)
  }

  remove(subscription: ChannelSubscription): void {
    subscription.channel.remove(subscription)
    this.#closeIfUnused(subscription.channel.name)
  }

  close(): void {
    for (const channel of this.#open.values()) this.#close(channel)
    this.#open.clear()
  }

  #opened(target: Target): Promise<Channel> {
    const known = this.#opening.get(target.name)
    if (known !== undefined) return known
    // aliases are never given twice, so a late frame can't be taken for another channel's
    const channel = new Channel(target.name, ++this.#lastAlias, target.match, this.#ports)
    const opening = channel
      .open()
      .then(() => {
        this.#open.set(target.name, channel)
        this.#handlers.handleOpen(channel)
        return channel
      })
      .finally(() => this.#opening.delete(target.name))
    this.#opening.set(target.name, opening)
    return opening
  }

  #closeIfUnused(name: string): void {
    const channel = this.#open.get(name)
    if (channel === undefined || channel.subscriptions.size > 0 || this.#held.has(name)) return
    this.#open.delete(name)
    this.#close(channel)
  }

  #close(channel: Channel): void {
    channel.close()
    this.#handlers.handleClose(channel)
  }
}
