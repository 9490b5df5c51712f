import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Clock } from "../ports/clock.ts"
import type { Register } from "./register.ts"

/** How far a version may be ahead, in ms. Without a limit, one client could use all versions of a channel up. */
const AHEAD_MS_MAX = 60_000
/** Of how many members it is remembered that only a version beyond that is accepted. */
const LOWEST_MAX = 10_000

/**
 * The versions that clients may use: those that are hardly ahead of this node's clock, or, as clocks are set back, of what the log accepts.
 */
export class Stamps {
  readonly #clock: Clock
  readonly #register: Register
  readonly #lowest = new Map<string, number>()

  constructor(clock: Clock, register: Register) {
    this.#clock = clock
    this.#register = register
  }

  /** @throws HoldfastError `version_ahead`; what the log fails with */
  async check(channel: string, member: string, version: number): Promise<void> {
    const now = this.#clock.now()
    const lowest = this.#lowest.get(`${member}\n${channel}`) ?? 0
    if (version <= Math.max(now, lowest) + AHEAD_MS_MAX) return
    const known = (await this.#register.versionOf(channel, member)) ?? 0
    if (version <= known + AHEAD_MS_MAX) return
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
