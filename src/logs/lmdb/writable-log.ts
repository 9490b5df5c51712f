import { randomUUID } from "node:crypto"
import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import type { AppendOptions, Operation, Outcome, Retention } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { Watchers } from "../watchers.ts"
import { Channels } from "./channels.ts"
import type { CheckpointKeeper } from "./checkpoint-keeper.ts"
import { DedupeJournal } from "./dedupe-journal.ts"
import { refusal } from "./failure.ts"
import { Garbage } from "./garbage.ts"
import type { LmdbLogSettings } from "./options.ts"
import { reading, type View } from "./reading.ts"
import type { Store } from "./store.ts"
import { Writer } from "./writer.ts"

/** What one transaction changes at most: longer ones would keep the event loop from its other work. */
const CHANNELS_PER_TRANSACTION_MAX = 500
const BYTES_PER_TRANSACTION_MAX = 2 * 1024 * 1024
const REMOVALS_PER_TRANSACTION_MAX = 4_000

/** How often at most a transaction also tidies a channel that it has not used. */
const SWEEP_INTERVAL_MS = 10

/** What a log that is written to stands on. */
export interface WritableLogPorts {
  readonly store: Store
  readonly keeper: CheckpointKeeper
  /** Gives the folder back. */
  readonly release: () => void
  /** The clock of leases, ms since 1970. */
  readonly now: () => number
}

interface Appended {
  readonly outcome: Outcome
  /** Whether the collection holds more than it retains. */
  readonly isUntrimmed: boolean
}

/** A log that this process writes to. Between two transactions, what is in memory is what is in the file. */
export class WritableLog implements Log {
  readonly durable = true
  readonly head: Log["head"]
  readonly read: Log["read"]
  readonly readBack: Log["readBack"]
  readonly find: Log["find"]
  readonly offsetOfLast: Log["offsetOfLast"]
  readonly #ports: WritableLogPorts
  readonly #journal: DedupeJournal
  readonly #channels: Channels
  readonly #garbage: Garbage
  readonly #watchers: Watchers
  readonly #writer: Writer
  readonly #onError: (error: unknown) => void
  readonly #name = randomUUID()
  #epoch: string
  #isClaimed = false
  /** The time of the newest append, by the clock of the operations. */
  #nowMs = Number.NEGATIVE_INFINITY
  #sweepsAt = 0
  /** Of the bodies in the transaction under way. */
  #bytes = 0
  #closing: Promise<void> | undefined
  /** What the transaction under way has appended, by channel. */
  #appended = new Map<string, { readonly after: number; readonly entries: Entry[] }>()
  /** Where watchers of channels stand that the log does not know: that must not rise when others are forgotten. */
  readonly #watchedBases = new Map<string, number>()

  constructor(ports: WritableLogPorts, settings: LmdbLogSettings) {
    const { store, keeper } = ports
    this.#ports = ports
    this.#onError = settings.onError
    this.#journal = new DedupeJournal(store)
    const watchers = new Watchers(settings.onError)
    this.#watchers = watchers
    this.#channels = new Channels(store, this.#journal, settings, (name) => watchers.has(name))
    this.#garbage = new Garbage(store)
    this.#epoch = store.meta("epoch") ?? ""
    const writerPorts = {
      transact: (work: () => void) => this.#transact(work),
      effort: () =>
        this.#channels.touched / CHANNELS_PER_TRANSACTION_MAX +
        this.#bytes / BYTES_PER_TRANSACTION_MAX +
        store.removed / REMOVALS_PER_TRANSACTION_MAX,
      keep: () => keeper.keep(),
      tell: () => this.#tell(),
      isDue: () => this.#closing === undefined && !this.#garbage.isEmpty,
    }
    this.#writer = new Writer(writerPorts, settings.pendingAppendsMax)
    const reads = reading(store, (channel) => this.#look(channel))
    this.head = reads.head
    this.read = reads.read
    this.readBack = reads.readBack
    this.find = reads.find
    this.offsetOfLast = reads.offsetOfLast
  }

  /** Writes this writer's name into the file, and a new epoch if one has to begin. */
  claim(beginsEpoch: boolean): void {
    const epoch = beginsEpoch ? randomUUID() : this.#epoch
    const { store } = this.#ports
    store.transact(() => {
      store.putMeta("writer", this.#name)
      store.putMeta("epoch", epoch)
    })
    this.#epoch = epoch
    this.#isClaimed = true
    if (!this.#garbage.isEmpty) this.#writer.start()
  }

  readonly append = async (
    channel: string,
    operation: Operation,
    options: AppendOptions,
  ): Promise<Outcome> => {
    this.#assertOpen()
    const { outcome, isUntrimmed } = await this.#writer.do({
      queue: channel,
      prepare: () => this.#channels.prepare(channel, options, operation.at),
      run: () => this.#append(channel, operation, options),
    })
    if (isUntrimmed) await this.#trimFurther(channel, operation.at).catch(this.#onError)
    return outcome
  }

  readonly trim: Log["trim"] = async (channel, retention, nowMs) => {
    this.#assertOpen()
    if (this.#ports.store.channelId(channel) === undefined) return
    const run = () => this.#trim(channel, retention, nowMs)
    if (await this.#writer.do({ run })) await this.#trimFurther(channel, nowMs)
  }

  /** Trims on until everything is trimmed, in a transaction for each part. */
  async #trimFurther(channel: string, nowMs: number): Promise<void> {
    const run = () => this.#trim(channel, {}, nowMs)
    while (this.#closing === undefined && (await this.#writer.do({ run })));
  }

  readonly watch: Log["watch"] = async (name, listener) => {
    this.#assertOpen()
    const unwatch = this.#watchers.add(name, listener)
    if (this.#channels.find(name) === undefined && !this.#watchedBases.has(name))
      this.#watchedBases.set(name, this.#channels.forgotten)
    return () => {
      unwatch()
      if (!this.#watchers.has(name)) this.#watchedBases.delete(name)
    }
  }

  readonly close = (): Promise<void> => {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const { store, keeper, release } = this.#ports
    await this.#writer.idle()
    this.#watchers.clear()
    try {
      await keeper.close()
    } finally {
      await store.close()
      release()
    }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new HoldfastError("closed", "The log was closed.")
    const { failure } = this.#ports.keeper
    if (failure !== undefined) throw failure
  }

  /** Waits until nothing can be read that a crash could take back. */
  async #look(name: string): Promise<View> {
    while (this.#writer.keeping !== undefined) await this.#writer.keeping.catch(() => undefined)
    this.#assertOpen()
    const channel = this.#channels.find(name)
    if (channel !== undefined && this.#garbage.isIn(channel.id)) {
      // a page would pass over all of it at once
      const next = this.#writer.nextTransaction
      if (next !== undefined) return await next.then(() => this.#look(name))
    }
    return { epoch: this.#epoch, channel, base: this.#baseOf(name) }
  }

  /** Above which offset a channel begins that the log does not know. */
  #baseOf(name: string): number {
    return this.#watchedBases.get(name) ?? this.#channels.forgotten
  }

  #append(name: string, operation: Operation, options: AppendOptions): Appended {
    this.#nowMs = operation.at
    this.#bytes += operation.body.length
    const known = this.#channels.touch(name)
    const channel = known ?? this.#channels.make(this.#baseOf(name))
    const after = channel.head.top
    const { status, offset, version, entry } = channel.append(operation, options, this.#ports.now())
    if (known === undefined && status !== "refused") this.#channels.add(name, channel)
    if (entry !== undefined) {
      const appended = this.#appended.get(name)
      if (appended === undefined) this.#appended.set(name, { after, entries: [entry] })
      else appended.entries.push(entry)
    }
    const position = { epoch: this.#epoch, offset }
    const outcome = { status, position, ...(version !== undefined && { version }) }
    return { outcome, isUntrimmed: channel.isUntrimmed }
  }

  /** Returns whether there is more to trim. */
  #trim(name: string, retention: Readonly<Record<string, Retention>>, nowMs: number): boolean {
    const channel = this.#channels.touch(name)
    if (channel === undefined) return false
    channel.trim(retention, nowMs)
    this.#channels.forgetIfEmpty(name, channel, nowMs)
    return channel.isUntrimmed || this.#garbage.isIn(channel.id)
  }

  #transact(work: () => void): void {
    const { store, keeper } = this.#ports
    try {
      this.#bytes = 0
      if (!this.#isClaimed) this.#claimLate()
      store.transact(() => {
        if (store.meta("writer") !== this.#name) {
          const text = "Another process has taken over the log. Nothing was published."
          throw new HoldfastError("log_in_use", text)
        }
        this.#garbage.purge()
        work()
        this.#sweep()
        this.#journal.shrink(this.#nowMs)
        this.#journal.flush()
        this.#channels.flush()
      })
      this.#channels.settle()
    } catch (error) {
      this.#reset()
      throw refusal(error, () => keeper.probe())
    }
  }

  #sweep(): void {
    const nowMs = performance.now()
    if (nowMs < this.#sweepsAt) return
    this.#sweepsAt = nowMs + SWEEP_INTERVAL_MS
    this.#channels.sweepOne(this.#nowMs)
  }

  /** There was no space for it when the log was opened. Another process may have written since. */
  #claimLate(): void {
    this.claim(false)
    this.#reset()
  }

  /** Drops what a failed transaction has changed in memory. */
  #reset(): void {
    this.#channels.reset()
    this.#appended.clear()
    this.#journal.reload()
    this.#ports.keeper.free()
  }

  #tell(): void {
    const appended = this.#appended
    this.#appended = new Map()
    for (const [name, batch] of appended) this.#watchers.tell(name, { epoch: this.#epoch, ...batch })
  }
}
