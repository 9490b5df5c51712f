import type { Batch } from "../../log/log.ts"
import { Watchers } from "../watchers.ts"
import type { ChannelStore } from "./channel-store.ts"
import { failureOf } from "./failure.ts"
import { decodeTold } from "./frames.ts"
import type { Place } from "./keys.ts"
import type { Live, LiveListener } from "./live.ts"
import type { RedisLogSettings } from "./options.ts"
import type { Partitions } from "./partitions.ts"

interface Watched extends LiveListener {
  readonly channel: string
  subscribed: Promise<void>
  /** It is being asked where the channel stands, and something has come meanwhile that does not fit. */
  isChecking: boolean
  isOutdated: boolean
}

/**
 * The channels that are watched on this node, and only those: each is one subscription, which costs Redis nothing while nothing is
 * published. Whenever a subscription was interrupted, the channel's head is read and told as an empty batch, by which the hub
 * finds that it has to read on.
 */
export class Watching {
  readonly #store: ChannelStore
  readonly #partitions: Partitions
  readonly #live: Live
  readonly #watchers: Watchers
  readonly #watched = new Map<string, Watched>()

  constructor(store: ChannelStore, partitions: Partitions, live: Live, settings: RedisLogSettings) {
    this.#store = store
    this.#partitions = partitions
    this.#live = live
    this.#watchers = new Watchers(settings.onError)
  }

  async watch(channel: string, place: Place, listener: (batch: Batch) => void): Promise<() => void> {
    const remove = this.#watchers.add(channel, listener)
    const stop = () => {
      remove()
      this.#endIfUnwatched(channel)
    }
    try {
      await this.#watchedOf(channel, place).subscribed
    } catch (error) {
      stop()
      throw failureOf(error)
    }
    return stop
  }

  isWatched(channel: string): boolean {
    return this.#watchers.has(channel)
  }

  close(): void {
    this.#watchers.clear()
    this.#watched.clear()
  }

  #watchedOf(channel: string, place: Place): Watched {
    const known = this.#watched.get(channel)
    if (known !== undefined) return known
    const watched: Watched = {
      channel,
      place,
      subscribed: Promise.resolve(),
      isChecking: false,
      isOutdated: false,
      handleMessage: (message) => this.#handleMessage(watched, message),
      handleRestored: () => this.#check(watched),
    }
    this.#watched.set(channel, watched)
    watched.subscribed = this.#live.add(watched)
    watched.subscribed.catch(() => {
      if (this.#watched.get(channel) === watched) this.#watched.delete(channel)
    })
    return watched
  }

  #endIfUnwatched(channel: string): void {
    const watched = this.#watched.get(channel)
    if (watched === undefined || this.#watchers.has(channel)) return
    this.#watched.delete(channel)
    this.#live.remove(watched)
  }

  #handleMessage(watched: Watched, message: Buffer): void {
    const told = decodeTold(message)
    const { epoch, generation, after, entries } = told
    const seen = { epoch, generation, top: entries.at(-1)?.offset ?? after }
    if (this.#partitions.note(watched.place.partition, seen, 0)) {
      this.#watchers.tell(watched.channel, { epoch, after, entries })
    } else this.#check(watched).catch(() => this.#live.handleLost([watched.place.live]))
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
}
