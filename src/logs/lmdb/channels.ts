import type { AppendOptions } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { LmdbChannel } from "./channel.ts"
import { ChannelCache } from "./channel-cache.ts"
import { newHead } from "./channel-head.ts"
import type { DedupeJournal } from "./dedupe-journal.ts"
import type { LmdbLogSettings } from "./options.ts"
import type { Store } from "./store.ts"

/**
 * The channels of a log that this process writes to. Within a transaction they may be ahead of the file; when it fails, `reset`
 * takes that back.
 */
export class Channels {
  readonly #store: Store
  readonly #journal: DedupeJournal
  readonly #settings: LmdbLogSettings
  readonly #cache: ChannelCache<LmdbChannel>
  readonly #isWatched: (name: string) => boolean
  /** Those that the transaction under way has used. */
  #touched = new Map<string, LmdbChannel>()
  /** Those that are prepared for an append: they must not be dropped for others until it comes. */
  readonly #prepared = new Map<string, LmdbChannel>()
  /** The highest offset of the channels that were forgotten. */
  #forgotten: number
  /** The channel that was tidied last. */
  #swept: string | undefined

  constructor(
    store: Store,
    journal: DedupeJournal,
    settings: LmdbLogSettings,
    isWatched: (name: string) => boolean,
  ) {
    this.#isWatched = isWatched
    this.#store = store
    this.#journal = journal
    this.#settings = settings
    this.#cache = new ChannelCache(settings.channelsInMemoryMax)
    this.#forgotten = store.metaNumber("forgotten")
  }

  /** Where a channel stands that the log does not know. */
  get forgotten(): number {
    return this.#forgotten
  }

  /** How many the transaction under way has used. */
  get touched(): number {
    return this.#touched.size
  }

  /** A channel of the file. */
  find(name: string): LmdbChannel | undefined {
    const cached = this.#prepared.get(name) ?? this.#cache.get(name)
    if (cached !== undefined) return cached
    const channel = this.#open(name)
    if (channel !== undefined) this.#cache.set(name, channel)
    return channel
  }

  /** The same, to be changed in the transaction under way. */
  touch(name: string): LmdbChannel | undefined {
    const touched = this.#touched.get(name)
    if (touched !== undefined) return touched
    const channel = this.find(name)
    if (channel !== undefined) this.#touched.set(name, channel)
    return channel
  }

  /**
   * A channel that is not in the file, and will not be before it was added.
   * @throws HoldfastError `log_full`
   */
  make(base: number): LmdbChannel {
    const limit = this.#settings.channelsMax
    if (this.#store.metaNumber("channels") >= limit) {
      const text = "The log has as many channels as it may have. Nothing was published."
      throw new HoldfastError("log_full", text, { limit })
    }
    const id = this.#store.metaNumber("lastChannel") + 1
    return new LmdbChannel(id, newHead(base), this.#store, this.#journal, this.#settings)
  }

  add(name: string, channel: LmdbChannel): void {
    this.#store.addChannel(name, channel.id)
    this.#store.putMeta("lastChannel", `${channel.id}`)
    this.#store.putMeta("channels", `${this.#store.metaNumber("channels") + 1}`)
    this.#cache.set(name, channel)
    this.#touched.set(name, channel)
  }

  /** Deletes a channel if nothing is left in it, unless it is watched: then its watchers stand at its top. */
  forgetIfEmpty(name: string, channel: LmdbChannel, nowMs: number): void {
    if (channel.isEmpty(nowMs) && !this.#isWatched(name)) this.#forget(name, channel)
  }

  /** Tidies one channel of the file after the other, so that those without appends are forgotten too. */
  sweepOne(nowMs: number): void {
    const name = this.#store.channelAfter(this.#swept)
    this.#swept = name
    if (name === undefined) return
    const known = this.#touched.get(name) ?? this.#prepared.get(name) ?? this.#cache.peek(name)
    const channel = known ?? this.#open(name)
    if (channel === undefined) return
    if (channel.tidy(nowMs)) this.#touched.set(name, channel)
    this.forgetIfEmpty(name, channel, nowMs)
  }

  /**
   * Reads what the channel has to know before an append. Resolves when that is read, or is undefined when it is: see
   * `LmdbChannel.prepare`.
   */
  prepare(name: string, options: AppendOptions, nowMs: number): Promise<void> | undefined {
    const channel = this.touch(name)
    if (channel === undefined) return undefined
    const prepared = channel.prepare(options, nowMs)
    if (prepared !== undefined) this.#prepared.set(name, channel)
    else if (this.#prepared.delete(name)) this.#cache.set(name, channel)
    return prepared
  }

  /** Writes what the transaction has changed. */
  flush(): void {
    for (const channel of this.#touched.values()) channel.flush()
  }

  /** The transaction is committed. */
  settle(): void {
    this.#touched.clear()
  }

  /** The transaction has failed: what it has changed in memory is read again. */
  reset(): void {
    for (const name of this.#touched.keys()) this.#cache.delete(name)
    this.#touched.clear()
    this.#prepared.clear()
    this.#forgotten = this.#store.metaNumber("forgotten")
  }

  /** All that is remembered of the channel is that its offsets were used. */
  #forget(name: string, channel: LmdbChannel): void {
    this.#cache.delete(name)
    this.#prepared.delete(name)
    this.#touched.delete(name)
    this.#store.removeChannel(name, channel.id)
    this.#forgotten = Math.max(this.#forgotten, channel.head.top)
    this.#store.putMeta("forgotten", `${this.#forgotten}`)
    this.#store.putMeta("channels", `${this.#store.metaNumber("channels") - 1}`)
  }

  #open(name: string): LmdbChannel | undefined {
    const id = this.#store.channelId(name)
    if (id === undefined) return undefined
    return new LmdbChannel(id, this.#store.head(id), this.#store, this.#journal, this.#settings)
  }
}
