import { hasLeft } from "../channel/membership.ts"
import type { Target } from "../channel/target.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../ports/logger.ts"
import type { Publisher } from "../publish/publisher.ts"
import type { HeldPlace, OwnPlace } from "./presence.ts"
import type { Timers } from "./timers.ts"

export interface DeparturesPorts {
  readonly publisher: Publisher
  readonly timers: Timers
  readonly logger: Logger
  readonly limits: Limits
  readonly target: (name: string) => Target
}

/** Tells the log who has gone, and why (see `membership.ts`): again and again, until it has taken it. */
export class Departures {
  readonly #ports: DeparturesPorts
  #closed = false

  constructor(ports: DeparturesPorts) {
    this.#ports = ports
  }

  /** Resolves when the log knows. @throws what the log fails with; it is tried again all the same */
  async told(place: HeldPlace, why: Uint8Array): Promise<void> {
    try {
      await this.#left(place, why)
    } catch (error) {
      this.later(place, why)
      throw error
    }
  }

  tell(place: HeldPlace, why: Uint8Array): void {
    this.told(place, why).catch((error: unknown) => {
      if (this.#closed) return
      const { channel } = place
      this.#ports.logger.error("presence: a departure could not be told, trying again", { channel, error })
    })
  }

  /** For when the log was found away just now. */
  later(place: HeldPlace, why: Uint8Array): void {
    this.#ports.timers.after(this.#ports.limits.retryMs, () => this.tell(place, why))
  }

  /** These go too, and then nothing is tried again. Resolves when the log has taken what it takes. */
  async close(places: readonly OwnPlace[]): Promise<void> {
    this.#closed = true
    // side by side, so that a log which is partly away is waited for once
    const told = places.map((place) => this.#left(place, hasLeft(place.openedAt)))
    for (const outcome of await Promise.allSettled(told)) {
      if (outcome.status === "fulfilled") continue
      this.#ports.logger.error("presence: a departure could not be told", { error: outcome.reason })
    }
  }

  #left({ channel, member, joined }: HeldPlace, why: Uint8Array): Promise<unknown> {
    const { publisher, target } = this.#ports
    return publisher.left(target(channel), member, joined, why)
  }
}
