import { HoldfastError } from "../../protocol/error.ts"
import type { Connection } from "./connection.ts"
import { isPassing } from "./failure.ts"
import type { Place } from "./keys.ts"
import { Lines } from "./lines.ts"
import type { RedisLogSettings } from "./options.ts"
import { retry } from "./retry.ts"

/** How many subscriptions are asked for at once after a connection was lost. */
const RESTORES_AT_ONCE = 64

export interface LiveListener {
  readonly place: Place
  readonly handleMessage: (message: Buffer) => void
  /** It goes on after an interruption, and what was told meanwhile is missing. If it rejects, it is interrupted again. */
  readonly handleRestored: () => Promise<void>
}

/**
 * What Redis is asked to tell of: one subscription each, over the same few connections. Pub/sub keeps nothing for a subscriber
 * that is away, so each listener is called when it was interrupted.
 */
export class Live {
  readonly #connection: Connection
  readonly #settings: RedisLogSettings
  readonly #lines: Lines
  readonly #listeners = new Map<string, LiveListener>()
  /** Those that wait for their next attempt. */
  readonly #lost = new Set<string>()
  readonly #closing = new AbortController()

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
      await this.#subscribe(listener.place)
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
    if (this.#closing.signal.aborted) return
    const lost = lives.filter((live) => this.#listeners.has(live) && !this.#lost.has(live))
    for (const live of lost) this.#lost.add(live)
    if (lost.length > 0) void this.#restore(lost)
  }

  close(): void {
    this.#closing.abort()
    this.#listeners.clear()
    this.#lost.clear()
    this.#lines.close()
  }

  async #subscribe({ partition, live }: Place): Promise<void> {
    const untilMs = Date.now() + this.#settings.waitMs
    let isFirst = true
    const attempt = async () => {
      // A command finds out which server has the slot now, or that the one that had it is silent; a subscription does not.
      if (!isFirst) await this.#connection.send(live, ["EXISTS", live], untilMs).catch(() => undefined)
      isFirst = false
      await this.#lines.subscribe(partition, live, untilMs)
    }
    const shouldRepeat = (error: unknown, pauseMs: number) =>
      isPassing(error) && Date.now() + pauseMs <= untilMs
    try {
      await retry(attempt, shouldRepeat, this.#closing.signal)
    } catch (error) {
      throw this.#closing.signal.aborted ? new HoldfastError("closed", "The log was closed.") : error
    }
    // It may have been given up meanwhile.
    if (!this.#listeners.has(live)) this.#lines.unsubscribe(live)
  }

  /**
   * Subscribes again to what was lost together, until it has succeeded. What was lost with another server does not wait for it:
   * that one may come back later, or never.
   */
  async #restore(lost: readonly string[]): Promise<void> {
    let left = lost
    const attempt = async () => {
      const failed: string[] = []
      for (let index = 0; index < left.length; index += RESTORES_AT_ONCE) {
        const some = left.slice(index, index + RESTORES_AT_ONCE)
        const outcomes = await Promise.all(some.map((live) => this.#restoreOne(live)))
        failed.push(...some.filter((_, each) => outcomes[each] === false))
      }
      left = failed
      if (left.length > 0) throw new Error("some could not be restored")
    }
    // it ends without success only when the log is closed
    await retry(attempt, () => true, this.#closing.signal).catch(() => undefined)
    this.#connection.reachability.resume()
  }

  /** Returns false when it is to be attempted again. */
  async #restoreOne(live: string): Promise<boolean> {
    this.#lost.delete(live)
    const listener = this.#listeners.get(live)
    if (listener === undefined) return true
    try {
      await this.#subscribe(listener.place)
      if (this.#listeners.get(live) === listener) await listener.handleRestored()
      return true
    } catch {
      // What is wrong with the connection is reported by the connection, once.
      if (!this.#listeners.has(live) || this.#lost.has(live)) return true
      this.#lost.add(live)
      return false
    }
  }
}
