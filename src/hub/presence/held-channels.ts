import type { Nodes } from "../cluster/nodes.ts"
import type { Timers } from "../ports/timers.ts"
import type { HeldList } from "./held-list.ts"

/** How long a channel is held at least that no member is in, in ms: what a log loses is of late. */
const IDLE_MS = 60_000

/** A channel, and the life of this node that has listed it or is about to. */
interface Held {
  readonly life: string
  readonly listed: Promise<unknown>
}

/** The channels that this node holds members in, or did of late: each is listed in the log before the first of its members enters. */
export class HeldChannels {
  readonly #list: HeldList
  readonly #nodes: Nodes | undefined
  readonly #timers: Timers
  readonly #held = new Map<string, Held>()
  /** How to keep those that no member is in any more. */
  readonly #idle = new Map<string, () => void>()

  /** @param nodes undefined where the log ends with this process: then no other process has to find what it holds */
  constructor(list: HeldList, nodes: Nodes | undefined, timers: Timers) {
    this.#list = list
    this.#nodes = nodes
    this.#timers = timers
  }

  has(channel: string): boolean {
    return this.#held.has(channel)
  }

  all(): string[] {
    return [...this.#held.keys()]
  }

  /** Resolves when this life of the node has listed the channel; again, if the log may have lost that. @throws what the log fails with */
  async use(channel: string, again = false): Promise<void> {
    this.#keep(channel)
    await this.#nodes?.joined()
    const life = this.#nodes?.life ?? ""
    const before = this.#held.get(channel)
    const held = before?.life === life && !again ? before : { life, listed: this.#add(life, channel) }
    this.#held.set(channel, held)
    try {
      await held.listed
    } catch (error) {
      if (this.#held.get(channel) === held)
        this.#held.set(channel, { life: "none", listed: Promise.resolve() })
      throw error
    }
  }

  /** No member of this node is in the channel any more: it is released after a while, unless it is used again. */
  releaseLater(channel: string): void {
    this.#keep(channel)
    const release = () => {
      this.#idle.delete(channel)
      this.release(channel).catch(() => {
        // it is listed in vain, until this node's life is over
      })
    }
    this.#idle.set(channel, this.#timers.after(IDLE_MS, release))
  }

  /** Resolves when the channel is not listed any more. */
  async release(channel: string): Promise<void> {
    const held = this.#held.get(channel)
    this.#held.delete(channel)
    if (held !== undefined && this.#nodes !== undefined) await this.#list.remove(held.life, channel)
  }

  #keep(channel: string): void {
    this.#idle.get(channel)?.()
    this.#idle.delete(channel)
  }

  async #add(life: string, channel: string): Promise<void> {
    if (this.#nodes !== undefined) await this.#list.add(life, channel)
  }
}
