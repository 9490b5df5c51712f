import type { Log } from "../../log/log.ts"
import type { Clock } from "../ports/clock.ts"
import type { Logger } from "../ports/logger.ts"

const WARNING =
  "a client brings a position of a log that is not this one: this process was restarted without a durable log, or several processes with logs of their own take the same clients"

/** The warning comes at most once in so long. */
const QUIET_MS = 60_000

export interface UnknownEpochPorts {
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Notices clients of another process. A log that neither outlives its process nor is shared has one epoch, so another one in a position
 * comes from elsewhere.
 */
export class UnknownEpoch {
  readonly #ports: UnknownEpochPorts
  readonly #startedMs: number
  #quietUntilMs = Number.NEGATIVE_INFINITY
  /** Since the last warning. */
  #count = 0

  constructor(ports: UnknownEpochPorts) {
    this.#ports = ports
    this.#startedMs = ports.clock.now()
  }

  /** `since`: since when the client is there, on a server's clock, if it has said so. */
  handlePosition(
    channel: string,
    epochs: { readonly known: string; readonly brought: string },
    since?: number,
  ): void {
    const { log, clock, logger } = this.#ports
    if (log.shared === true || log.durable === true || epochs.known === epochs.brought) return
    // it was there before this process was: a restart
    if (since !== undefined && since < this.#startedMs) return
    this.#count++
    const now = clock.monotonic()
    if (now < this.#quietUntilMs) return
    this.#quietUntilMs = now + QUIET_MS
    logger.warn(WARNING, { channel, epoch: epochs.known, broughtEpoch: epochs.brought, count: this.#count })
    this.#count = 0
  }
}
