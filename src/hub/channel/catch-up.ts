import { type Miss, missed } from "../../log/cursor.ts"
import type { Head, Log, Page } from "../../log/log.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import { type Burst, BurstCache } from "./burst-cache.ts"
import type { ChannelSubscription } from "./channel.ts"
import { entryMessage } from "./encoded.ts"
import { EncodedCache } from "./encoded-cache.ts"
import { EVENTS, isKeyed } from "./facets.ts"
import type { Loader } from "./loader.ts"
import type { Outlet } from "./outlet.ts"
import type { SnapshotProgress } from "./subscription.ts"

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
  readonly #waiting = new Map<Outlet, Set<ChannelSubscription>>()
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
  enqueue(subscription: ChannelSubscription): void {
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

  #start(subscription: ChannelSubscription): void {
    const { snapshot, channel } = subscription
    const hasLoader = channel.match.definition.snapshot !== undefined
    if (hasLoader && snapshot !== undefined && snapshot.loaded === undefined) {
      void this.#load(subscription, snapshot)
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
  async #load(subscription: ChannelSubscription, snapshot: SnapshotProgress): Promise<void> {
    subscription.reading = true
    try {
      snapshot.loaded = await this.#loader.load(subscription.channel, subscription)
      subscription.reading = false
      this.enqueue(subscription)
    } catch (error) {
      this.#retry(subscription, `the snapshot of ${subscription.channel.name} could not be loaded`, error)
    }
  }

  #retry(subscription: ChannelSubscription, what: string, error: unknown): void {
    subscription.reading = false
    this.#handleFailure(what, error)
    this.#clock.after(this.#limits.retryMs, () => this.enqueue(subscription))
  }

  async #serve(subscription: ChannelSubscription): Promise<void> {
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

  async #step(subscription: ChannelSubscription): Promise<void> {
    const { channel } = subscription
    const at = this.#clock.monotonic()
    const burst = isShared(subscription) ? this.#bursts.find(subscription, at) : undefined
    if (burst !== undefined) {
      // what is known may have been trimmed since
      const head = await this.#log.head(channel.name)
      const isWhole = missOf(subscription, head) === undefined && !isOutdated(subscription, head)
      if (isWhole) return this.#advance(subscription, head, () => this.#give(subscription, burst))
    }
    const { tail } = channel
    const page = await this.#read(subscription)
    this.#advance(subscription, page.head, () => this.#send(subscription, page, tail, at), page)
  }

  #read({ channel, offset, snapshot }: ChannelSubscription): Promise<Page> {
    const { pageEntriesMax: entriesMax, pageBytesMax: bytesMax } = this.#limits
    const page = { entriesMax, bytesMax }
    if (snapshot === undefined) {
      const through = Math.max(offset, channel.tail)
      return this.#log.read(channel.name, { after: offset, through, select: "all", ...page })
    }
    const { after, fold } = snapshot
    const collections = channel.keyed
    if (isFolding(snapshot))
      return this.#log.read(channel.name, { after, through: fold, select: "fold", collections, ...page })
    // up to wherever the log is now: what was changed while the fold was read is in neither of its pages
    return this.#log.read(channel.name, {
      after,
      through: Number.MAX_SAFE_INTEGER,
      select: "all",
      collections,
      ...page,
    })
  }

  /** Calls `send` unless the subscription has missed something, or has ended. `page`: what was read behind the cursor. */
  #advance(subscription: ChannelSubscription, head: Head, send: () => void, page?: Page): void {
    subscription.reading = false
    if (subscription.state !== "behind") return
    const { channel } = subscription
    channel.handleHead(head)
    const miss = missOf(subscription, head)
    if (miss !== undefined) this.#sendGap(subscription, head, miss, page)
    else if (isOutdated(subscription, head)) {
      subscription.snapshot = restarted(subscription.snapshot as SnapshotProgress, head)
    } else send()
    channel.joinOrCatchUp(subscription, miss === undefined)
  }

  #sendGap(
    subscription: ChannelSubscription,
    head: Head,
    { reason, collections, to }: Miss,
    page?: Page,
  ): void {
    const { channel, epoch, offset } = subscription
    const { alias, hasSnapshot, match } = channel
    // without a loader, facts that are lost change nothing in a snapshot
    const isFolded = match.definition.snapshot !== undefined || collections?.some(isKeyed) !== false
    const snapshot = hasSnapshot && isFolded
    const isWhole = collections === undefined
    const named = isWhole ? {} : { collections }
    const position = isWhole || page === undefined ? to : { epoch, offset: lastBefore(page) }
    const gap = {
      type: "gap",
      alias,
      reason,
      ...named,
      from: { epoch, offset },
      to,
      position,
      snapshot,
    } as const
    // with a snapshot, the cursor stands there only when that is complete
    subscription.outlet.send(gap, snapshot ? undefined : position)
    subscription.epoch = position.epoch
    subscription.offset = position.offset
    // what a new log has lost of its collections is the next gap
    if (isWhole) subscription.covered = undefined
    else subscription.cover(head.floors)
    if (snapshot) {
      subscription.snapshot = { after: 0, fold: head.top, loaded: undefined, restarts: false }
      subscription.cover(Object.fromEntries(channel.keyed.map((collection) => [collection, head.top])))
    } else if (isWhole) subscription.snapshot = undefined
  }

  #send(subscription: ChannelSubscription, page: Page, tail: number, at: number): void {
    if (subscription.snapshot === undefined)
      this.#sendEntries(subscription, page, { full: page.next < tail, at })
    else this.#sendSnapshot(subscription, subscription.snapshot, page, at)
  }

  #sendSnapshot(subscription: ChannelSubscription, snapshot: SnapshotProgress, page: Page, at: number): void {
    const { channel, outlet } = subscription
    const last = page.next >= page.head.top
    const entries = page.entries.map((entry) => {
      const { alias: _, ...rest } = entryMessage(channel.alias, entry)
      return rest
    })
    const message = {
      type: "snapshot",
      alias: channel.alias,
      offset: page.next,
      entries,
      ...(snapshot.restarts && { restarts: true }),
      last,
      ...(last && snapshot.loaded !== undefined && { loaded: snapshot.loaded }),
    }
    const { epoch, offset } = subscription
    const bytes = outlet.link.encoding.frame(message, last ? { epoch, offset } : undefined)
    const burst = { bytes, next: page.next, full: !last, last, at }
    if (isShared(subscription)) this.#bursts.add(subscription, burst)
    this.#give(subscription, burst)
  }

  #sendEntries(subscription: ChannelSubscription, page: Page, read: Pick<Burst, "full" | "at">): void {
    const { channel, outlet } = subscription
    const { encoding } = outlet.link
    if (page.entries.length === 0) {
      subscription.offset = page.next
      return
    }
    const bytes = encoding.join(
      page.entries.map((entry) => this.#frames.frame(channel, page.head.epoch, entry, encoding)),
    )
    const burst = { bytes, next: page.next, last: false, ...read }
    this.#bursts.add(subscription, burst)
    this.#give(subscription, burst)
  }

  /** Writes a page, and moves what it moves. */
  #give(subscription: ChannelSubscription, { bytes, next, last }: Burst): void {
    const { outlet, snapshot, channel } = subscription
    outlet.write(bytes)
    this.#spend(bytes.byteLength)
    if (snapshot === undefined) {
      subscription.offset = next
    } else if (last) {
      subscription.snapshot = undefined
      subscription.cover(Object.fromEntries(channel.keyed.map((collection) => [collection, next])))
    } else {
      snapshot.after = next
      snapshot.restarts = false
    }
  }
}

/**
 * What a gap has to say. A snapshot that is on its way is brought to its end before a loss is reported that came after its beginning:
 * begun anew each time, it would have no end on a link that is slower than the log is trimmed.
 */
function missOf(subscription: ChannelSubscription, head: Head): Miss | undefined {
  const miss = missed(subscription, head, subscription.covered)
  return miss?.reason === "trimmed" && subscription.snapshot !== undefined ? undefined : miss
}

/** Up to where nothing is left that a page could have. */
function lastBefore({ entries, next }: Page): number {
  const [first] = entries
  return first === undefined ? next : first.offset - 1
}

function isFolding({ after, fold }: SnapshotProgress): boolean {
  return after < fold
}

/** Whether a removal was forgotten of a key that may have been sent with value: no later part would take it away. */
function isOutdated({ channel, snapshot }: ChannelSubscription, { floors }: Head): boolean {
  if (snapshot === undefined) return false
  const complete = Math.max(snapshot.after, snapshot.fold)
  return channel.keyed.some((collection) => (floors[collection] ?? 0) > complete)
}

function restarted({ after, loaded, restarts }: SnapshotProgress, { top }: Head): SnapshotProgress {
  return { after: 0, fold: top, loaded, restarts: restarts || after > 0 }
}

/** Whether others at the same place are given the same: what a loader has loaded, or what changes now, is for one. */
function isShared({ snapshot, covered, offset }: ChannelSubscription): boolean {
  // a page that others were given may hold what was trimmed since, and was reported as missing
  if (snapshot === undefined) return (covered?.get(EVENTS) ?? 0) <= offset
  return snapshot.loaded === undefined && !snapshot.restarts && isFolding(snapshot)
}
