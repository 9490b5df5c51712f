import { randomUUID } from "node:crypto"
import type { Appended, AppendOptions, Draft, Entry, Head, Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { Watchers } from "../watchers.ts"
import { LmdbChannel } from "./channel.ts"
import { ChannelCache } from "./channel-cache.ts"
import type { CheckpointKeeper } from "./checkpoint-keeper.ts"
import { DedupeJournal } from "./dedupe-journal.ts"
import { refusal } from "./failure.ts"
import type { LmdbLogSettings } from "./options.ts"
import { offsetOfLast, readPage } from "./page.ts"
import { emptyHead } from "./record.ts"
import type { Store } from "./store.ts"
import { Writer } from "./writer.ts"

/** A log that this process writes to. Between two transactions, what is in memory is what is in the file. */
export class WritableLog implements Log {
  readonly #store: Store
  readonly #keeper: CheckpointKeeper
  readonly #settings: LmdbLogSettings
  readonly #release: () => void
  readonly #journal: DedupeJournal
  readonly #watchers: Watchers
  readonly #writer: Writer
  readonly #cache: ChannelCache<LmdbChannel>
  readonly #name = randomUUID()
  #epoch: string
  #isClaimed = false
  /** The time of the newest append, by the clock that the drafts carry. */
  #nowMs = Number.NEGATIVE_INFINITY
  #closing: Promise<void> | undefined
  /** The channels that the transaction under way has used. */
  #touched = new Map<string, LmdbChannel>()
  /** What it has appended, by channel. */
  #appended = new Map<string, { readonly after: number; readonly entries: Entry[] }>()

  constructor(store: Store, keeper: CheckpointKeeper, settings: LmdbLogSettings, release: () => void) {
    this.#store = store
    this.#keeper = keeper
    this.#settings = settings
    this.#release = release
    this.#journal = new DedupeJournal(store)
    this.#watchers = new Watchers(settings.onError)
    this.#cache = new ChannelCache(settings.channelsInMemoryMax)
    this.#epoch = store.meta("epoch") ?? ""
    const ports = {
      transact: (work: () => void) => this.#transact(work),
      keep: () => keeper.keep(),
      tell: () => this.#tell(),
    }
    this.#writer = new Writer(ports, settings.pendingAppendsMax)
  }

  /** Writes this writer's name into the file, and a new epoch if one has to begin. */
  claim(beginsEpoch: boolean): void {
    const epoch = beginsEpoch ? randomUUID() : this.#epoch
    this.#store.transact(() => {
      this.#store.putMeta("writer", this.#name)
      this.#store.putMeta("epoch", epoch)
    })
    this.#epoch = epoch
    this.#isClaimed = true
  }

  readonly append = async (channel: string, draft: Draft, options: AppendOptions): Promise<Appended> => {
    this.#assertOpen()
    return await this.#writer.do(() => this.#append(channel, draft, options))
  }

  readonly trim: Log["trim"] = async (channel, keep, nowMs) => {
    this.#assertOpen()
    if (this.#store.channelId(channel) === undefined) return
    await this.#writer.do(() => this.#touch(channel)?.trim(keep, nowMs))
  }

  readonly head: Log["head"] = async (name) => {
    await this.#kept()
    return this.#headOf(this.#channel(name))
  }

  readonly read: Log["read"] = async (name, range) => {
    await this.#kept()
    const channel = this.#channel(name)
    const found =
      channel === undefined
        ? { entries: [], next: range.after }
        : readPage(this.#store, channel.id, channel.head, range)
    return { head: this.#headOf(channel), ...found }
  }

  readonly offsetOfLast: Log["offsetOfLast"] = async (name, count) => {
    await this.#kept()
    const channel = this.#channel(name)
    return channel === undefined ? 0 : offsetOfLast(this.#store, channel.id, channel.head, count)
  }

  readonly watch: Log["watch"] = async (channel, listener) => {
    this.#assertOpen()
    return this.#watchers.add(channel, listener)
  }

  readonly close = (): Promise<void> => {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#writer.idle()
    this.#watchers.clear()
    try {
      await this.#keeper.close()
    } finally {
      await this.#store.close()
      this.#release()
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new HoldfastError("closed", "The log was closed.")
    if (this.#keeper.failure !== undefined) throw this.#keeper.failure
  }

  /** Waits until nothing can be read that a crash could take back. */
  async #kept(): Promise<void> {
    while (this.#writer.keeping !== undefined) await this.#writer.keeping.catch(() => undefined)
    this.#assertOpen()
  }

  #headOf(channel: LmdbChannel | undefined): Head {
    const { top, eventFloor, tombstoneFloor } = channel?.head ?? emptyHead()
    return { epoch: this.#epoch, top, floor: Math.max(eventFloor, tombstoneFloor) }
  }

  #append(name: string, draft: Draft, options: AppendOptions): Appended {
    this.#nowMs = draft.at
    const known = this.#touch(name)
    const duplicate = known?.findDuplicate(draft, options)
    if (duplicate !== undefined) {
      return { position: { epoch: this.#epoch, offset: duplicate }, duplicate: true }
    }
    if (options.replaces !== undefined) {
      const latest = known?.latest(draft) ?? 0
      if (latest !== options.replaces)
        return { position: { epoch: this.#epoch, offset: latest }, duplicate: true }
    }
    const channel = known ?? this.#addChannel(name)
    const after = channel.head.top
    const entry = channel.append(draft, options)
    const appended = this.#appended.get(name)
    if (appended === undefined) this.#appended.set(name, { after, entries: [entry] })
    else appended.entries.push(entry)
    return { position: { epoch: this.#epoch, offset: entry.offset }, duplicate: false }
  }

  #touch(name: string): LmdbChannel | undefined {
    const touched = this.#touched.get(name)
    if (touched !== undefined) return touched
    const channel = this.#channel(name)
    if (channel !== undefined) this.#touched.set(name, channel)
    return channel
  }

  /** The channel, unless it was never appended to. */
  #channel(name: string): LmdbChannel | undefined {
    const cached = this.#cache.get(name)
    if (cached !== undefined) return cached
    const id = this.#store.channelId(name)
    if (id === undefined) return undefined
    const channel = new LmdbChannel(id, this.#store, this.#journal, this.#settings)
    this.#cache.set(name, channel)
    return channel
  }

  #addChannel(name: string): LmdbChannel {
    const id = Number(this.#store.meta("channels") ?? "0") + 1
    const limit = this.#settings.channelsMax
    if (id > limit) {
      throw new HoldfastError(
        "log_full",
        "The log has as many channels as it may have. Nothing was published.",
        { limit },
      )
    }
    this.#store.addChannel(name, id)
    this.#store.putMeta("channels", `${id}`)
    const channel = new LmdbChannel(id, this.#store, this.#journal, this.#settings)
    this.#cache.set(name, channel)
    this.#touched.set(name, channel)
    return channel
  }

  #transact(work: () => void): void {
    try {
      if (!this.#isClaimed) this.#claimLate()
      this.#store.transact(() => {
        if (this.#store.meta("writer") !== this.#name) {
          throw new HoldfastError(
            "log_in_use",
            "Another process has taken over the log. Nothing was published.",
          )
        }
        work()
        this.#journal.shrink(this.#nowMs)
        this.#journal.flush()
        for (const channel of this.#touched.values()) channel.flush()
      })
      this.#touched.clear()
    } catch (error) {
      this.#forget()
      throw refusal(error, () => this.#keeper.probe())
    }
  }

  /** There was no space for it when the log was opened. Another process may have written since. */
  #claimLate(): void {
    this.claim(false)
    this.#forget()
  }

  /** Drops what a failed transaction has changed in memory. */
  #forget(): void {
    for (const name of this.#touched.keys()) this.#cache.delete(name)
    this.#touched.clear()
    this.#appended.clear()
    this.#journal.reload()
    this.#keeper.free()
  }

  #tell(): void {
    const appended = this.#appended
    this.#appended = new Map()
    for (const [name, batch] of appended) this.#watchers.tell(name, { epoch: this.#epoch, ...batch })
  }
}
