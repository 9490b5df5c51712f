import type { Channel } from "../channel/channel.ts"
import type { Channels } from "../channel/channels.ts"
import type { Target } from "../channel/target.ts"

/** Of how many channels it is remembered that something of this node was in them. */
const FORMER_MAX = 10_000

/** The channels that are followed though nobody here may subscribe to them, as something of this node is in them. */
export class HeldChannels {
  readonly #channels: Channels
  readonly #held = new Map<string, Promise<Channel>>()
  readonly #former = new Set<string>()

  constructor(channels: Channels) {
    this.#channels = channels
  }

  /** Those that something of this node was in, and is no more; of late. */
  get former(): ReadonlySet<string> {
    return this.#former
  }

  /** Resolves when the channel is followed, and stays so until `release`; in the order of the calls. */
  async hold(target: Target): Promise<void> {
    let held = this.#held.get(target.name)
    if (held === undefined) {
      held = this.#channels.acquire(target)
      this.#held.set(target.name, held)
    }
    try {
      await held
    } catch (error) {
      if (this.#held.get(target.name) === held) this.#held.delete(target.name)
      throw error
    }
  }

  /** Follows the channel while `work` goes on, at least. */
  async during<T>(target: Target, work: () => Promise<T>): Promise<T> {
    await this.#channels.acquire(target)
    try {
      return await work()
    } finally {
      this.#channels.release(target.name)
    }
  }

  release(channel: string): void {
    const held = this.#held.get(channel)
    if (held === undefined) return
    this.#held.delete(channel)
    this.#remember(channel)
    held.then(
      () => this.#channels.release(channel),
      () => undefined,
    )
  }

  #remember(channel: string): void {
    this.#former.delete(channel)
    const [oldest] = this.#former
    if (oldest !== undefined && this.#former.size === FORMER_MAX) this.#former.delete(oldest)
    this.#former.add(channel)
  }
}
