import { type Miss, missed } from "../../log/cursor.ts"
import type { Head, Log, Page } from "../../log/log.ts"
import type { Snapshot, SnapshotEntry } from "../../protocol/message.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import { type Burst, BurstCache } from "./burst-cache.ts"
import type { Channel, ChannelSubscription } from "./channel.ts"
import { entryMessage } from "./encoded.ts"
import { EncodedCache } from "./encoded-cache.ts"
import { EVENTS, isKeyed } from "./facets.ts"
import type { Loader } from "./loader.ts"
import type { Outlet } from "./outlet.ts"
import type { Loaded } from "./snapshot-progress.ts"
import { SnapshotProgress } from "./snapshot-progress.ts"

export interface CatchUpPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  readonly loader: Loader
  /** Something is tried again in `retryMs`. */
  readonly handleFailure: (what: string, error: unknown) => void
}

/**
 * Serves every subscription that does not stand at its channel's tail, for whatever reason: it starts lower, it came
 * back, or it could not keep up. Page by page from the log, in turns, with a budget per turn of the event loop, until it
 * is at the tail. There is no queue per subscription: a blocked one is simply left where it is until its link drains. One
 * page at a time is read for a connection, so that its link can say in between that it is full, however many
 * subscriptions it has; and each connection has its turn before another has its next.
 */
export class CatchUp {
  readonly #ports: CatchUpPorts
  readonly #frames: EncodedCache
  readonly #bursts: BurstCache
  readonly #waiting = new Map<Outlet, Set<ChannelSubscription>>()
  /** Those for which a page is being read. */
  readonly #served = new Set<Outlet>()
  #budget: number
  #refilling = false

  constructor(ports: CatchUpPorts) {
    this.#ports = ports
    const { encodedCacheBytesMax, catchUpBytesPerTurnMax } = ports.limits
    this.#frames = new EncodedCache(encodedCacheBytesMax / 2)
    this.#bursts = new BurstCache(encodedCacheBytesMax / 2)
    this.#budget = catchUpBytesPerTurnMax
  }

  /** Serves `subscription` as soon as it is its turn; does nothing while its link is blocked. */
  enqueue(subscription: ChannelSubscription): void {
    const { isServable, reading, outlet } = subscription
    if (!isServable || reading || outlet.blocked) return
    const waiting = this.#waiting.get(outlet)
    if (waiting === undefined) this.#waiting.set(outlet, new Set([subscription]))
    else waiting.add(subscription)
    this.#pump()
  }

  #pump(): void {
    for (const [outlet, subscriptions] of this.#waiting) {
      if (this.#budget <= 0 || this.#served.size >= this.#ports.limits.readsAtOnceMax) break
      if (this.#served.has(outlet)) continue
      this.#waiting.delete(outlet)
      // its drain enqueues them again
      if (outlet.blocked) continue
      const [subscription] = subscriptions
      if (subscription === undefined) continue
      subscriptions.delete(subscription)
      // behind all others
      if (subscriptions.size > 0) this.#waiting.set(outlet, subscriptions)
      if (subscription.isServable) this.#start(subscription)
    }
    if (this.#waiting.size > 0 && this.#budget <= 0) this.#refill()
  }

  #start(subscription: ChannelSubscription): void {
    const { snapshot, channel } = subscription
    if (hasLoader(channel) && snapshot?.isRead && snapshot.loaded === undefined) {
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
    this.#ports.clock.soon(() => {
      this.#refilling = false
      this.#budget = this.#ports.limits.catchUpBytesPerTurnMax
      this.#pump()
    })
  }

  /**
   * Loads are slow compared to reads, and are the server's own affair: they take no place among the reads. The value is loaded when the
   * states and members were read, so it has everything that these have.
   */
  async #load(subscription: ChannelSubscription, snapshot: SnapshotProgress): Promise<void> {
    subscription.reading = subscription.loading = true
    try {
      const { channel, epoch } = subscription
      snapshot.loaded = await this.#ports.loader.load(channel, { epoch, offset: snapshot.after })
      subscription.reading = subscription.loading = false
      this.enqueue(subscription)
    } catch (error) {
      this.#retry(subscription, `the snapshot of ${subscription.channel.name} could not be loaded`, error)
    }
  }

  #retry(subscription: ChannelSubscription, what: string, error: unknown): void {
    subscription.reading = subscription.loading = false
    this.#ports.handleFailure(what, error)
    this.#ports.clock.after(this.#ports.limits.retryMs, () => this.enqueue(subscription))
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
    const { channel, snapshot } = subscription
    const at = this.#ports.clock.monotonic()
    const burst = isShared(subscription) ? this.#bursts.find(subscription, at) : undefined
    if (snapshot?.isRead) {
      const head = await this.#ports.log.head(channel.name)
      return this.#advance(subscription, head, () => this.#sendLoaded(subscription))
    }
    if (burst !== undefined) {
      // what is known may have been trimmed since
      const head = await this.#ports.log.head(channel.name)
      const isWhole = missOf(subscription, head) === undefined && !snapshot?.isOutdated(head, channel.keyed)
      if (isWhole) return this.#advance(subscription, head, () => this.#give(subscription, burst, head.top))
    }
    const tail = subscription.endOf(channel.tail)
    const page = await this.#read(subscription)
    this.#advance(subscription, page.head, () => this.#send(subscription, page, tail, at), page)
  }

  #read(subscription: ChannelSubscription): Promise<Page> {
    const { channel, offset, snapshot } = subscription
    const { pageEntriesMax: entriesMax, pageBytesMax: bytesMax } = this.#ports.limits
    const page = { entriesMax, bytesMax }
    if (snapshot === undefined) {
      const through = Math.max(offset, subscription.endOf(channel.tail))
      return this.#ports.log.read(channel.name, { after: offset, through, select: "all", ...page })
    }
    const { after, fold } = snapshot
    const collections = channel.keyed
    if (snapshot.isFolding)
      return this.#ports.log.read(channel.name, {
        after,
        through: fold,
        select: "fold",
        collections,
        ...page,
      })
    // up to wherever the log is now: what was changed while the fold was read is in neither of its pages
    return this.#ports.log.read(channel.name, {
      after,
      through: Math.max(after, subscription.endOf(Number.MAX_SAFE_INTEGER)),
      select: "all",
      collections,
      ...page,
    })
  }

  /**
   * Calls `send` unless the subscription has ended, or goes on elsewhere. `page`: what was read behind the cursor. It is sent behind a
   * gap too: otherwise a log that is trimmed all the time would make one gap after the other.
   */
  #advance(subscription: ChannelSubscription, head: Head, send: () => void, page?: Page): void {
    subscription.reading = false
    if (subscription.state !== "behind") return
    const { channel, snapshot } = subscription
    channel.handleHead(head)
    const miss = missOf(subscription, head)
    if (miss !== undefined) {
      this.#sendGap(subscription, head, miss, page)
      if (miss.collections !== undefined && subscription.snapshot === undefined) send()
    } else if (snapshot?.restart(head, channel.keyed) !== true) send()
    channel.joinOrCatchUp(subscription, miss === undefined)
  }

  #sendGap(
    subscription: ChannelSubscription,
    head: Head,
    { reason, collections, to }: Miss,
    page?: Page,
  ): void {
    const { channel, epoch, offset, loadedOffset } = subscription
    const { alias } = channel
    const isWhole = collections === undefined
    // facts that are lost change nothing in a snapshot, but for a loaded value that lacks them
    const isFolded =
      isWhole ||
      collections.some(isKeyed) ||
      (hasLoader(channel) && (head.floors[EVENTS] ?? 0) > loadedOffset)
    const snapshot = channel.hasSnapshot && isFolded
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
    // what a new log has lost of its collections is the next gap
    if (isWhole) subscription.moveTo(to)
    else {
      subscription.offset = position.offset
      subscription.report(head.floors)
    }
    subscription.snapshot = snapshot ? new SnapshotProgress(head.top) : undefined
    if (snapshot) subscription.snapshotOffset = head.top
  }

  #send(subscription: ChannelSubscription, page: Page, tail: number, at: number): void {
    if (subscription.snapshot === undefined)
      this.#sendEntries(subscription, page, { full: page.next < tail, at })
    else this.#sendSnapshot(subscription, subscription.snapshot, page, at)
  }

  #sendSnapshot(subscription: ChannelSubscription, snapshot: SnapshotProgress, page: Page, at: number): void {
    const { next, head } = page
    const isRead = snapshot.endsAt(next, subscription.endOf(head.top))
    const last = isRead && !hasLoader(subscription.channel)
    if (page.entries.length === 0 && !last) {
      snapshot.advance(next, subscription.endOf(head.top))
      return
    }
    const entries = page.entries.map((entry) => {
      const { alias: _, ...rest } = entryMessage(subscription.channel.alias, entry)
      return rest as SnapshotEntry
    })
    const bytes = partOf(subscription, { offset: next, entries, ...(snapshot.restarts && RESTARTS), last })
    const burst = { bytes, next, full: !isRead, last, at }
    if (isShared(subscription)) this.#bursts.add(subscription, burst)
    this.#give(subscription, burst, head.top)
  }

  #sendLoaded(subscription: ChannelSubscription): void {
    const { after: offset, loaded } = subscription.snapshot as SnapshotProgress
    const bytes = partOf(subscription, { offset, entries: [], loaded: loaded as Loaded, last: true })
    subscription.outlet.write(bytes)
    this.#spend(bytes.byteLength)
    subscription.completeSnapshot(offset)
  }

  #sendEntries(subscription: ChannelSubscription, page: Page, read: Pick<Burst, "full" | "at">): void {
    const { channel, outlet } = subscription
    const { encoding } = outlet.link
    const { epoch } = page.head
    const frames = page.entries.map((entry) => this.#frames.frame(channel, epoch, entry, encoding))
    // what stood there is lost, or stands above by now: without a word, the subscriber would come back to be told of it again
    if (page.next > (page.entries.at(-1)?.offset ?? subscription.offset)) {
      const position = { epoch, offset: page.next }
      frames.push(encoding.frame({ type: "position", alias: channel.alias, offset: page.next }, position))
    }
    if (frames.length === 0) return
    const burst = { bytes: encoding.join(frames), next: page.next, last: false, ...read }
    if (subscription.final === undefined) this.#bursts.add(subscription, burst)
    this.#give(subscription, burst, page.head.top)
  }

  /** Writes a page, and moves what it moves. */
  #give(subscription: ChannelSubscription, { bytes, next, last }: Burst, top: number): void {
    const { outlet, snapshot } = subscription
    outlet.write(bytes)
    this.#spend(bytes.byteLength)
    if (snapshot === undefined) subscription.offset = next
    else if (last) subscription.completeSnapshot(next)
    else {
      snapshot.restarts = false
      snapshot.advance(next, subscription.endOf(top))
    }
  }
}

/**
 * What a gap has to say. A snapshot that is on its way is brought to its end before a loss is reported that came after its beginning:
 * begun anew each time, it would have no end on a link that is slower than the log is trimmed.
 */
function missOf(subscription: ChannelSubscription, head: Head): Miss | undefined {
  const completeTo = { get: (collection: string) => subscription.completeTo(collection) }
  const miss = missed(subscription, head, completeTo)
  return miss?.reason === "trimmed" && subscription.snapshot !== undefined ? undefined : miss
}

/** Up to where nothing is left that a page could have. */
function lastBefore({ entries, next }: Page): number {
  const [first] = entries
  return first === undefined ? next : first.offset - 1
}

function hasLoader({ match }: Channel): boolean {
  return match.definition.snapshot !== undefined
}

const RESTARTS = { restarts: true } as const

/** A part of a snapshot. The last one is where the subscriber's cursor gets its place. */
function partOf(subscription: ChannelSubscription, part: Omit<Snapshot, "type" | "alias">): Uint8Array {
  const { channel, outlet, epoch, offset } = subscription
  const message = { type: "snapshot", alias: channel.alias, ...part }
  return outlet.link.encoding.frame(message, part.last ? { epoch, offset } : undefined)
}

/** Whether others at the same place are given the same: what a loader has loaded, or what changes now, is for one. */
function isShared({ snapshot, reportedOffset, offset, final }: ChannelSubscription): boolean {
  // a page that others were given may go beyond the head
  if (final !== undefined) return false
  // a page that others were given may hold what was trimmed since, and was reported as missing
  if (snapshot === undefined) return reportedOffset <= offset
  return snapshot.isFolding && !snapshot.restarts
}
