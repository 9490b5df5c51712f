import { HoldfastError } from "../../protocol/error.ts"
import type { Connection } from "./connection.ts"
import { isPassing } from "./failure.ts"
import type { Place } from "./keys.ts"
import { Lines } from "./lines.ts"
import type { RedisLogSettings } from "./options.ts"

/** How many subscriptions are asked for at once after a connection was lost. */
const RESTORES_AT_ONCE = 64
/** How long to wait after that has failed, which it does when waiting for the connection was of no use. */
const RESTORE_PAUSE_MS = 500

export interface LiveListener {
  readonly place: Place
  readonly handleMessage: (message: Buffer) => void
  /** It goes on after an interruption, and what was told meanwhile is missing. If it rejects, it is interrupted again. */
  readonly handleRestored: () => Promise<void>
}

/**
 * What Redis is asked to tell of: one subscription each, over the same few connections. Pub/sub keeps nothing for those who
 * are away, so whoever listens is told when it was interrupted.
 */
export class Live {
  readonly #connection: Connection
  readonly #settings: RedisLogSettings
  readonly #lines: Lines
  readonly #listeners = new Map<string, LiveListener>()
  /** Those that wait for their next attempt. */
  readonly #lost = new Set<string>()
  #isClosed = false

  constructor(connection: Connection, settings: RedisLogSettings) {
    this.#connection = connection
    this.#settings = settings
    connection.onDemotion(() => this.#lines.restart())
    this.#lines = new Lines({
      connection,
      listener: (message, live) => this.#listeners.get(live.toString())?.handleMessage(message),
      heartbeatMs: settings.heartbeatMs,
      answerTimeoutMs: settings.answerTimeoutMs,
      handleLost: (lives) => this.handleLost(lives),
    })
  }

  /** Resolves when it is told of. There is one listener of a place at a time. @throws what the client library throws */
  async add(listener: LiveListener): Promise<void> {
    const { live } = listener.place
    this.#listeners.set(live, listener)
    try {
      await this.#subscribe(listener.place, Date.now() + this.#settings.waitMs)
    } catch (error) {
      if (this.#listeners.get(live) === listener) this.#listeners.delete(live)
      throw error
    }
  }

  remove({ place: { live } }: LiveListener): void {
    if (!this.#listeners.delete(live)) return
    this.#lost.delete(live)
    this.#lines.unsubscribe(live)
  }

  /** What is told of these, which are of one server, may not be all there is. */
  handleLost(lives: readonly string[]): void {
    if (this.#isClosed) return
    const lost = lives.filter((live) => this.#listeners.has(live) && !this.#lost.has(live))
    for (const live of lost) this.#lost.add(live)
    if (lost.length > 0) void this.#restore(lost)
  }

  close(): void {
    this.#isClosed = true
    this.#listeners.clear()
    this.#lost.clear()
    this.#lines.close()
  }

  async #subscribe(place: Place, untilMs: number): Promise<void> {
    for (let delayMs = 20; ; delayMs = Math.min(2 * delayMs, 500)) {
      try {
        await this.#lines.subscribe(place.partition, place.live, untilMs)
        break
      } catch (error) {
        if (this.#isClosed) throw new HoldfastError("closed", "The log was closed.")
        if (!isPassing(error) || Date.now() + delayMs > untilMs) throw error
        await new Promise((resolve) => setTimeout(resolve, delayMs))
        // A command finds out which server has the slot now, or that the one that had it is silent; a subscription does not.
        await this.#connection.send(place.live, ["EXISTS", place.live], untilMs).catch(() => undefined)
      }
    }
    // It may have been given up meanwhile.
    if (!this.#listeners.has(place.live)) this.#lines.unsubscribe(place.live)
  }

  /**
   * Subscribes again to what was lost together, until it has succeeded. What was lost with another server does not wait for it:
   * that one may come back later, or never.
   */
  async #restore(lost: readonly string[]): Promise<void> {
    let left = lost
    while (left.length > 0 && !this.#isClosed) {
      const failed: string[] = []
      for (let index = 0; index < left.length; index += RESTORES_AT_ONCE) {
        const some = left.slice(index, index + RESTORES_AT_ONCE)
        const outcomes = await Promise.all(some.map((live) => this.#restoreOne(live)))
        failed.push(...some.filter((_, each) => outcomes[each] === false))
      }
      left = failed
      if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, RESTORE_PAUSE_MS))
    }
  }

  /** Returns false when it is to be attempted again. */
  async #restoreOne(live: string): Promise<boolean> {
    this.#lost.delete(live)
    const listener = this.#listeners.get(live)
    if (listener === undefined) return true
    try {
      await this.#subscribe(listener.place, Date.now() + this.#settings.waitMs)
      if (this.#listeners.get(live) === listener) await listener.handleRestored()
      return true
    } catch {
      // What is wrong with the connection is told by the connection, once.
      if (!this.#listeners.has(live) || this.#lost.has(live)) return true
      this.#lost.add(live)
      return false
    }
  }
}
