import type { Batch } from "../../hub/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { Watchers } from "../watchers.ts"
import type { ChannelStore } from "./channel-store.ts"
import type { Connection } from "./connection.ts"
import { failureOf, isPassing } from "./failure.ts"
import { decodeTold } from "./frames.ts"
import type { Place } from "./keys.ts"
import { Lines } from "./lines.ts"
import type { RedisLogSettings } from "./options.ts"
import type { Partitions } from "./partitions.ts"

/** How many channels are asked for at once after a connection was lost. */
const RESTORES_AT_ONCE = 64
/** How long to wait after that has failed, which it does when waiting for the connection was of no use. */
const RESTORE_PAUSE_MS = 500

interface Watched {
  readonly channel: string
  readonly place: Place
  readonly subscribed: Promise<void>
  /** It is being asked where the channel stands. */
  isChecking: boolean
  /** Something came meanwhile that the answer may know nothing of. */
  isOutdated: boolean
}

/**
 * The channels that somebody here watches, and only those: each is one subscription, which costs Redis nothing while nobody
 * publishes. Pub/sub keeps nothing for those who are away; so whenever a subscription was interrupted, the channel's head
 * is read and told as an empty batch, by which the hub finds that it has to read on.
 */
export class Watching {
  readonly #store: ChannelStore
  readonly #partitions: Partitions
  readonly #settings: RedisLogSettings
  readonly #watchers: Watchers
  readonly #lines: Lines
  readonly #byLive = new Map<string, Watched>()
  readonly #lost = new Set<string>()
  #isRestoring = false
  #isClosed = false

  constructor(
    store: ChannelStore,
    partitions: Partitions,
    connection: Connection,
    settings: RedisLogSettings,
  ) {
    this.#store = store
    this.#partitions = partitions
    this.#settings = settings
    this.#watchers = new Watchers(settings.onError)
    connection.onDemotion(() => this.#lines.restart())
    this.#lines = new Lines({
      connection,
      listener: (message, live) => this.#handleMessage(message, live.toString()),
      heartbeatMs: settings.heartbeatMs,
      answerTimeoutMs: settings.answerTimeoutMs,
      handleLost: (lives) => this.#handleLost(lives),
    })
  }

  async watch(channel: string, place: Place, listener: (batch: Batch) => void): Promise<() => void> {
    const remove = this.#watchers.add(channel, listener)
    const stop = () => {
      remove()
      this.#endIfUnwatched(channel, place.live)
    }
    try {
      await this.#watchedOf(channel, place).subscribed
    } catch (error) {
      stop()
      throw failureOf(error)
    }
    return stop
  }

  close(): void {
    this.#isClosed = true
    this.#watchers.clear()
    this.#byLive.clear()
    this.#lost.clear()
    this.#lines.close()
  }

  #watchedOf(channel: string, place: Place): Watched {
    const known = this.#byLive.get(place.live)
    if (known !== undefined) return known
    const watched = {
      channel,
      place,
      subscribed: this.#subscribe(place, Date.now() + this.#settings.waitMs),
      isChecking: false,
      isOutdated: false,
    }
    this.#byLive.set(place.live, watched)
    watched.subscribed.catch(() => {
      if (this.#byLive.get(place.live) === watched) this.#byLive.delete(place.live)
    })
    return watched
  }

  #endIfUnwatched(channel: string, live: string): void {
    if (this.#watchers.has(channel) || !this.#byLive.delete(live)) return
    this.#lost.delete(live)
    this.#lines.unsubscribe(live)
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
        // A command finds out which server has the slot now; a subscription does not.
        if (isMoved(error)) await this.#store.head(place)
      }
    }
    // It may have been given up meanwhile.
    if (!this.#byLive.has(place.live)) this.#lines.unsubscribe(place.live)
  }

  #handleMessage(message: Buffer, live: string): void {
    const watched = this.#byLive.get(live)
    if (watched === undefined) return
    const told = decodeTold(message)
    const { epoch, generation, after, entries } = told
    const seen = { epoch, generation, top: entries.at(-1)?.offset ?? after }
    if (this.#partitions.note(watched.place.partition, seen, false)) {
      this.#watchers.tell(watched.channel, { epoch, after, entries })
    } else this.#check(watched).catch(() => this.#handleLost([live]))
  }

  /** Asks where the channel stands, and tells: for when something may have been missed. */
  async #check(watched: Watched): Promise<void> {
    watched.isOutdated = watched.isChecking
    if (watched.isChecking) return
    watched.isChecking = true
    try {
      do {
        watched.isOutdated = false
        const { epoch, top } = await this.#store.verify(watched.place)
        this.#watchers.tell(watched.channel, { epoch, after: top, entries: [] })
      } while (watched.isOutdated)
    } finally {
      watched.isChecking = false
    }
  }

  #handleLost(lives: readonly string[]): void {
    if (this.#isClosed) return
    for (const live of lives) if (this.#byLive.has(live)) this.#lost.add(live)
    if (!this.#isRestoring) void this.#restore()
  }

  /** Subscribes again to what was lost, until it has succeeded. */
  async #restore(): Promise<void> {
    this.#isRestoring = true
    while (this.#lost.size > 0 && !this.#isClosed) {
      const some = [...this.#lost].slice(0, RESTORES_AT_ONCE)
      const outcomes = await Promise.all(some.map((live) => this.#restoreOne(live)))
      if (outcomes.includes(false)) await new Promise((resolve) => setTimeout(resolve, RESTORE_PAUSE_MS))
    }
    this.#isRestoring = false
  }

  async #restoreOne(live: string): Promise<boolean> {
    this.#lost.delete(live)
    const watched = this.#byLive.get(live)
    if (watched === undefined) return true
    try {
      await this.#subscribe(watched.place, Date.now() + this.#settings.waitMs)
      if (this.#byLive.get(live) === watched) await this.#check(watched)
      return true
    } catch {
      // What is wrong with the connection is told by the connection, once.
      if (this.#byLive.has(live)) this.#lost.add(live)
      return false
    }
  }
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith("MOVED")
}
