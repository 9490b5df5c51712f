import type { Schema } from "../../contract/index.ts"
import { missed } from "../../log/cursor.ts"
import type { Head, Log, Page } from "../../log/log.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import { type Burst, BurstCache } from "./burst-cache.ts"
import type { SnapshotProgress, Subscription } from "./channel.ts"
import { entryMessage } from "./encoded.ts"
import { EncodedCache } from "./encoded-cache.ts"
import type { Loader } from "./loader.ts"
import type { Outlet } from "./outlet.ts"

/**
 * Serves every subscription that does not stand at its channel's tail, for whatever reason: it starts lower, it came
 * back, or it could not keep up. Page by page from the log, in turns, with a budget per turn of the event loop, until it
 * is at the tail. There is no queue per subscription: a blocked one is simply left where it is until its link drains. One
 * page at a time is read for a connection, so that its link can say in between that it is full, however many
 * subscriptions it has; and each connection has its turn before another has its next.
 */
export class CatchUp {
  readonly #log: Log
  readonly #clock: Clock
  readonly #frames: EncodedCache
  readonly #bursts: BurstCache
  readonly #limits: Limits
  readonly #loader: Loader
  readonly #handleFailure: (what: string, error: unknown) => void
  readonly #waiting = new Map<Outlet, Set<Subscription>>()
  /** Those for which a page is being read. */
  readonly #served = new Set<Outlet>()
  #budget: number
  #refilling = false

  constructor(
    log: Log,
    clock: Clock,
    limits: Limits,
    loader: Loader,
    handleFailure: (what: string, error: unknown) => void,
  ) {
    this.#log = log
    this.#clock = clock
    this.#frames = new EncodedCache(limits.encodedCacheBytesMax / 2)
    this.#bursts = new BurstCache(limits.encodedCacheBytesMax / 2)
    this.#limits = limits
    this.#loader = loader
    this.#handleFailure = handleFailure
    this.#budget = limits.catchUpBytesPerTurnMax
  }

  /** Serves `subscription` as soon as it is its turn; does nothing while its link is blocked. */
  enqueue(subscription: Subscription): void {
    const { state, reading, outlet } = subscription
    if (state !== "behind" || reading || outlet.blocked) return
    const waiting = this.#waiting.get(outlet)
    if (waiting === undefined) this.#waiting.set(outlet, new Set([subscription]))
    else waiting.add(subscription)
    this.#pump()
  }

  #pump(): void {
    for (const [outlet, subscriptions] of this.#waiting) {
      if (this.#budget <= 0 || this.#served.size >= this.#limits.readsAtOnceMax) break
      if (this.#served.has(outlet)) continue
      this.#waiting.delete(outlet)
      // its drain enqueues them again
      if (outlet.blocked) continue
      const [subscription] = subscriptions
      if (subscription === undefined) continue
      subscriptions.delete(subscription)
      // behind all others
      if (subscriptions.size > 0) this.#waiting.set(outlet, subscriptions)
      if (subscription.state === "behind") this.#start(subscription)
    }
    if (this.#waiting.size > 0 && this.#budget <= 0) this.#refill()
  }

  #start(subscription: Subscription): void {
    const { snapshot: schema } = subscription.channel.match.definition
    const { snapshot } = subscription
    if (schema !== undefined && snapshot !== undefined && snapshot.loaded === undefined) {
      void this.#load(subscription, snapshot, schema)
    } else {
      void this.#serve(subscription)
    }
  }

  #spend(bytes: number): void {
    this.#budget -= bytes
    this.#refill()
  }

  #refill(): void {
    if (this.#refilling) return
    this.#refilling = true
    this.#clock.soon(() => {
      this.#refilling = false
      this.#budget = this.#limits.catchUpBytesPerTurnMax
      this.#pump()
    })
  }

  /** Loads are slow compared to reads, and are the server's own affair: they take no place among the reads. */
  async #load(subscription: Subscription, snapshot: SnapshotProgress, schema: Schema): Promise<void> {
    subscription.reading = true
    try {
      snapshot.loaded = await this.#loader.load(subscription.channel, schema, subscription)
      subscription.reading = false
      this.enqueue(subscription)
    } catch (error) {
      this.#retry(subscription, `the snapshot of ${subscription.channel.name} could not be loaded`, error)
    }
  }

  #retry(subscription: Subscription, what: string, error: unknown): void {
    subscription.reading = false
    this.#handleFailure(what, error)
    this.#clock.after(this.#limits.retryMs, () => this.enqueue(subscription))
  }

  async #serve(subscription: Subscription): Promise<void> {
    this.#served.add(subscription.outlet)
    subscription.reading = true
    try {
      await this.#step(subscription)
    } catch (error) {
      this.#retry(subscription, `the log of ${subscription.channel.name} could not be read`, error)
    } finally {
      this.#served.delete(subscription.outlet)
      this.#pump()
    }
  }

  async #step(subscription: Subscription): Promise<void> {
    const { channel } = subscription
    const at = this.#clock.monotonic()
    const burst = isShared(subscription) ? this.#bursts.find(subscription, at) : undefined
    if (burst === undefined) {
      const { tail } = channel
      const page = await this.#read(subscription)
      this.#advance(subscription, page.head, () => {
        if (subscription.snapshot !== undefined)
          this.#sendSnapshot(subscription, subscription.snapshot, page, at)
        else this.#sendEntries(subscription, page, { full: page.next < tail, at })
      })
    } else {
      // what is known may have been trimmed since
      const head = await this.#log.head(channel.name)
      this.#advance(subscription, head, () => this.#give(subscription, burst))
    }
  }

  #read({ channel, offset, snapshot }: Subscription): Promise<Page> {
    return this.#log.read(channel.name, {
      after: snapshot?.after ?? offset,
      through: snapshot?.through ?? Math.max(offset, channel.tail),
      select: snapshot === undefined ? "all" : "fold",
      entriesMax: this.#limits.pageEntriesMax,
      bytesMax: this.#limits.pageBytesMax,
    })
  }

  /** Calls `send` unless the subscription has missed something, or has ended. */
  #advance(subscription: Subscription, head: Head, send: () => void): void {
    subscription.reading = false
    if (subscription.state !== "behind") return
    const { channel } = subscription
    channel.handleHead(head)
    const miss = missed(subscription, head)
    // A snapshot that is on its way is brought to its end before a loss is told that came after its beginning: begun
    // anew each time, it would have no end on a link that is slower than the log is trimmed.
    if (miss !== undefined && !(miss.reason === "trimmed" && subscription.snapshot !== undefined)) {
      const snapshot = channel.hasSnapshot
      const from = { epoch: subscription.epoch, offset: subscription.offset }
      // with a snapshot, the cursor stands there only when that is complete
      const position = snapshot ? undefined : miss.to
      subscription.outlet.send({ type: "gap", alias: channel.alias, ...miss, from, snapshot }, position)
      subscription.epoch = miss.to.epoch
      subscription.offset = miss.to.offset
      subscription.snapshot = snapshot ? { after: 0, through: miss.to.offset, loaded: undefined } : undefined
    } else {
      send()
    }
    channel.joinOrCatchUp(subscription, miss === undefined)
  }

  #sendSnapshot(subscription: Subscription, snapshot: SnapshotProgress, page: Page, at: number): void {
    const { alias } = subscription.channel
    const last = page.next >= snapshot.through
    const entries = page.entries.map((entry) => {
      const { alias: _, ...rest } = entryMessage(alias, entry)
      return rest
    })
    const message = {
      type: "snapshot",
      alias,
      offset: snapshot.through,
      entries,
      last,
      ...(last && snapshot.loaded !== undefined && { loaded: snapshot.loaded }),
    }
    const position = last ? { epoch: subscription.epoch, offset: snapshot.through } : undefined
    const bytes = subscription.outlet.link.encoding.frame(message, position)
    const burst = { bytes, next: page.next, full: true, at }
    if (isShared(subscription)) this.#bursts.add(subscription, burst)
    this.#give(subscription, burst)
  }

  #sendEntries(subscription: Subscription, page: Page, read: Pick<Burst, "full" | "at">): void {
    const { channel, outlet } = subscription
    const { encoding } = outlet.link
    if (page.entries.length === 0) {
      subscription.offset = page.next
      return
    }
    const bytes = encoding.join(
      page.entries.map((entry) => this.#frames.frame(channel, page.head.epoch, entry, encoding)),
    )
    const burst = { bytes, next: page.next, ...read }
    this.#bursts.add(subscription, burst)
    this.#give(subscription, burst)
  }

  /** Writes a page, and moves what it moves. */
  #give(subscription: Subscription, { bytes, next }: Burst): void {
    const { outlet, snapshot } = subscription
    outlet.write(bytes)
    this.#spend(bytes.byteLength)
    if (snapshot === undefined) subscription.offset = next
    else if (next >= snapshot.through) subscription.snapshot = undefined
    else snapshot.after = next
  }
}

/** Whether others who stand in the same place are given the same: what a loader has loaded is for one. */
function isShared({ snapshot }: Subscription): boolean {
  return snapshot?.loaded === undefined
}
