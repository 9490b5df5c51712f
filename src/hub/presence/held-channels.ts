import type { Log } from "../../log/log.ts"
import { heldChannelOf, nodesRetention } from "../cluster/node-keys.ts"
import type { Nodes } from "../cluster/nodes.ts"
import type { Clock } from "../ports/clock.ts"

/** How long a channel is held at least that no member is in, in ms: what the log loses was of late. */
const IDLE_MS = 60_000
/** How many of those that were used the longest ago are looked at with each use. */
const LOOKS_PER_USE = 2

const NOTHING = new Uint8Array(0)

export interface HeldChannelsPorts {
  readonly log: Log
  readonly clock: Clock
  readonly digest: (text: string) => string
  /** Undefined where no other process sees this log: then nobody has to find what this one holds. */
  readonly nodes: Nodes | undefined
  /** Whether members of this node are in the channel. */
  readonly isOccupied: (channel: string) => boolean
}

interface Held {
  usedAtMs: number
  /** The life that has listed it, or is about to. */
  life: string
  listed: Promise<unknown>
}

/**
 * The channels that members of this node are in, or were of late. Each is listed in the log before the first of them enters, so whoever finds
 * this node dead finds them too.
 */
export class HeldChannels {
  readonly #ports: HeldChannelsPorts
  /** In the order of their last use. */
  readonly #held = new Map<string, Held>()

  constructor(ports: HeldChannelsPorts) {
    this.#ports = ports
  }

  has(channel: string): boolean {
    return this.#held.has(channel)
  }

  all(): string[] {
    return [...this.#held.keys()]
  }

  /** Resolves when the channel is listed. @throws what the log fails with */
  async use(channel: string): Promise<void> {
    const { nodes } = this.#ports
    await nodes?.joined()
    const life = nodes?.life ?? ""
    const held = this.#held.get(channel) ?? { usedAtMs: 0, life: "", listed: Promise.resolve() }
    if (held.life !== life) {
      held.life = life
      held.listed = this.#list(channel, life)
    }
    this.#touch(channel, held)
    this.#releaseIdle()
    try {
      await held.listed
    } catch (error) {
      if (held.life === life) held.life = ""
      throw error
    }
  }

  /** It is used, though nobody enters. */
  touch(channel: string): void {
    const held = this.#held.get(channel)
    if (held !== undefined) this.#touch(channel, held)
  }

  /** Nobody is in the channel any more. Resolves when it is not listed any more. */
  async release(channel: string): Promise<void> {
    const { log, clock } = this.#ports
    const held = this.#held.get(channel)
    this.#held.delete(channel)
    if (held === undefined || held.life === "") return
    const operation = { operation: "remove", key: channel, body: NOTHING, at: clock.now() } as const
    const collection = this.#collectionOf(channel)
    await log.append(heldChannelOf(held.life), { ...operation, collection }, { retention: nodesRetention })
  }

  #touch(channel: string, held: Held): void {
    held.usedAtMs = this.#ports.clock.monotonic()
    this.#held.delete(channel)
    this.#held.set(channel, held)
  }

  async #list(channel: string, life: string): Promise<void> {
    const { log, clock } = this.#ports
    const operation = { operation: "put", key: channel, body: NOTHING, quiet: true, at: clock.now() } as const
    const collection = this.#collectionOf(channel)
    await log.append(heldChannelOf(life), { ...operation, collection }, { retention: nodesRetention })
  }

  /** One of several, as the keys of a collection are limited in number. */
  #collectionOf(channel: string): string {
    return `held/${this.#ports.digest(channel)[0]}`
  }

  #releaseIdle(): void {
    const { clock, isOccupied } = this.#ports
    let looks = 0
    for (const [channel, held] of this.#held) {
      if (looks++ === LOOKS_PER_USE || clock.monotonic() - held.usedAtMs < IDLE_MS) return
      if (isOccupied(channel)) this.#touch(channel, held)
      else {
        this.release(channel).catch(() => {
          // it is listed in vain, until this node's life is over
        })
      }
    }
  }
}
