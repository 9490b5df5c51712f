import type { HoldfastError } from "../../protocol/error.ts"
import { nodeOf } from "../cluster/node-keys.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../ports/logger.ts"
import type { Timers } from "../ports/timers.ts"
import { atOnce, CHANNELS_AT_ONCE_MAX } from "./at-once.ts"
import type { HeldChannels } from "./held-channels.ts"
import type { Place, Places } from "./places.ts"
import type { Register } from "./register.ts"

export interface ReconcilerPorts {
  readonly node: string
  readonly limits: Limits
  readonly logger: Logger
  readonly timers: Timers
  readonly places: Places
  readonly register: Register
  readonly held: HeldChannels
  /** The name under which this node holds members. */
  readonly holder: () => string
  /** Takes the place, unless the log refuses it. @throws HoldfastError `superseded`, and what the log fails with */
  readonly put: (channel: string, member: string, place: Place) => Promise<void>
}

/**
 * Compares channels with the log, some at once, until the log has answered. A member that the log ascribes to this node, and that is not here,
 * is removed. A member that is here, and that the log does not have so, is put again with the next version: the log refuses that if the
 * client has left or entered elsewhere.
 */
export class Reconciler {
  readonly #ports: ReconcilerPorts
  #waiting = new Set<string>()
  readonly #failed = new Set<string>()
  #isRunning = false
  #closed = false

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports
  }

  add(channels: Iterable<string>): void {
    for (const channel of channels) this.#waiting.add(channel)
    if (!this.#isRunning && !this.#closed && this.#waiting.size > 0) void this.#run()
  }

  /** The log has failed at something in the channel, which is compared after a while. */
  retry(channel: string, error: unknown): void {
    if (this.#closed) return
    const { logger, timers, limits } = this.#ports
    if (this.#failed.size === 0) {
      logger.error("the log failed at presence, trying again", { error })
      timers.after(limits.retryMs, () => {
        const failed = [...this.#failed]
        this.#failed.clear()
        this.add(failed)
      })
    }
    this.#failed.add(channel)
  }

  close(): void {
    this.#closed = true
  }

  async #run(): Promise<void> {
    this.#isRunning = true
    while (this.#waiting.size > 0 && !this.#closed) {
      const channels = [...this.#waiting]
      this.#waiting = new Set()
      await atOnce(channels, CHANNELS_AT_ONCE_MAX, (channel) =>
        this.#reconcile(channel).catch((error: unknown) => this.retry(channel, error)),
      )
    }
    this.#isRunning = false
  }

  async #reconcile(channel: string): Promise<void> {
    const { node, limits, places, register, held, holder } = this.#ports
    await held.use(channel, true)
    const here = places.of(channel)
    const entries = await register.heldBy(channel, (each) => nodeOf(each) === node)
    const found = new Map(entries.map((entry) => [entry.key, entry]))
    const unknown = entries.filter(({ key }) => places.find(channel, key) === undefined)
    await atOnce(unknown, limits.pageEntriesMax, ({ key, version }) => register.remove(channel, key, version))
    const missing = here.filter(([member, place]) => {
      const entry = found.get(member)
      const isAsPut = entry?.holder === holder() && entry.version === place.version
      // the client of a connection that was cut may never come back; one that comes with requests is between two of them
      const isWanted = place.connection !== undefined || place.isBrief
      return isWanted && places.find(channel, member) === place && !isAsPut
    })
    await atOnce(missing, limits.pageEntriesMax, ([member, place]) =>
      this.#putAgain(channel, member, place, found.get(member)?.version),
    )
  }

  async #putAgain(channel: string, member: string, place: Place, found?: number): Promise<void> {
    // with the same version it is not put where it was removed: nothing of its client is here that would want it
    const isRestored = place.connection === undefined && found === undefined
    const version = Math.max(place.version, found ?? 0) + (isRestored ? 0 : 1)
    try {
      await this.#ports.put(channel, member, { ...place, version })
    } catch (error) {
      const { code, message, version = 0 } = error as HoldfastError
      if (code !== "superseded") throw error
      place.connection?.send({ type: "removed", channel, code, message, version })
    }
  }
}
