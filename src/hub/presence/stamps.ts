import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Clock } from "../ports/clock.ts"

/** How far a version may be ahead of this node's clock, in ms. Without a limit, one client could use all versions up. */
const AHEAD_MS_MAX = 60_000
/** Of how many members it is remembered that only a version beyond that is accepted. */
const LOWEST_MAX = 10_000

/**
 * The versions that clients may use. Where the log accepts only versions that are too far ahead, as after a clock was set back, the lowest of
 * them may be used.
 */
export class Stamps {
  readonly #clock: Clock
  readonly #lowest = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** @throws HoldfastError `version_ahead` */
  check(channel: string, member: string, version: number): void {
    const now = this.#clock.now()
    if (version <= Math.max(now + AHEAD_MS_MAX, this.#lowest.get(`${member}\n${channel}`) ?? 0)) return
    throw new HoldfastError("version_ahead", errorCodes.version_ahead, { version: Math.floor(now) })
  }

  /** The error for a version that is below the lowest that is accepted. */
  superseded(channel: string, member: string, lowest: number): HoldfastError {
    if (lowest > this.#clock.now() + AHEAD_MS_MAX) this.#note(`${member}\n${channel}`, lowest)
    return new HoldfastError("superseded", errorCodes.superseded, { version: lowest })
  }

  #note(key: string, lowest: number): void {
    this.#lowest.delete(key)
    const [oldest] = this.#lowest.keys()
    if (oldest !== undefined && this.#lowest.size === LOWEST_MAX) this.#lowest.delete(oldest)
    this.#lowest.set(key, lowest)
  }
}
