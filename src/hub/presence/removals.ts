import type { Outcome } from "../../log/operation.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../ports/logger.ts"
import type { Timers } from "../ports/timers.ts"
import { atOnce } from "./at-once.ts"
import type { Register } from "./register.ts"

export interface Removal {
  readonly channel: string
  readonly member: string
  readonly version: number
}

export interface RemovalsPorts {
  readonly register: Register
  readonly timers: Timers
  readonly limits: Limits
  readonly logger: Logger
  /** The channel is not left yet. */
  readonly touch: (channel: string) => void
}

/** Removes members from the log, and tries again until the log has answered: a removal that comes late is refused. */
export class Removals {
  readonly #ports: RemovalsPorts
  /** Those that the log has not answered, to be tried again. */
  readonly #failed = new Map<string, Removal>()

  constructor(ports: RemovalsPorts) {
    this.#ports = ports
  }

  /** @throws what the log fails with; it is tried again all the same */
  async remove(removal: Removal): Promise<Outcome> {
    const { channel, member, version } = removal
    try {
      return await this.#ports.register.remove(channel, member, version)
    } catch (error) {
      this.#keep(removal, error)
      throw error
    }
  }

  add(removal: Removal): void {
    this.remove(removal).catch(() => {
      // tried again
    })
  }

  /** Resolves when the log has answered each once. */
  async addAll(removals: readonly Removal[]): Promise<void> {
    const { pageEntriesMax } = this.#ports.limits
    await atOnce(removals, pageEntriesMax, (removal) => this.remove(removal).catch(() => undefined))
  }

  #keep(removal: Removal, error: unknown): void {
    const { timers, limits, logger, touch } = this.#ports
    const { channel, member, version } = removal
    touch(channel)
    if (this.#failed.size === 0) {
      logger.error("presence: members could not be removed, trying again", { error })
      timers.after(limits.retryMs, () => this.#tryAgain())
    }
    const key = `${member}\n${channel}`
    if (version >= (this.#failed.get(key)?.version ?? 0)) this.#failed.set(key, removal)
  }

  #tryAgain(): void {
    const removals = [...this.#failed.values()]
    this.#failed.clear()
    void this.addAll(removals)
  }
}
