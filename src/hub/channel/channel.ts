import type { ChannelMatch } from "../../contract/index.ts"
import { missed } from "../../log/cursor.ts"
import type { Entry } from "../../log/entry.ts"
import type { Batch, Head, Log } from "../../log/log.ts"
import type { CodecName } from "../../protocol/codec.ts"
import type { Encoding } from "../ports/link.ts"
import { Encoded, entryMessage } from "./encoded.ts"
import { isKeyed, stateOf } from "./facets.ts"
import type { Outlet } from "./outlet.ts"
import { retentionsOf } from "./retention.ts"
import type { Final, Subscription } from "./subscription.ts"

/** What a frame has around its payload, roughly, in bytes. */
const ENVELOPE_BYTES = 80

export type ChannelSubscription = Subscription<Channel>

/** What a channel needs of the hub around it. */
export interface ChannelPorts {
  readonly log: Log
  readonly burstBytesMax: number
  /** The channel has something to deliver at the end of this turn. */
  readonly markDirty: (channel: Channel) => void
  /** The subscription has to be served from the log. */
  readonly catchUp: (subscription: ChannelSubscription) => void
  /** The log could not be read to fill a hole; `retry` tries again. */
  readonly handleFillError: (channel: Channel, error: unknown, retry: () => void) => void
  /** The channel could not read on: what is there now may have nothing to do with what was. */
  readonly handleStartOver: (channel: Channel) => void
}

/**
 * A channel as one node sees it: itself a cursor on the log, at `tail`, and the subscriptions that stand there too.
 * Entries arrive through `handleBatch`, in order; holes are filled by reading.
 */
export class Channel {
  readonly name: string
  readonly alias: number
  readonly match: ChannelMatch
  /** Whether subscribers hold something that a snapshot replaces. */
  readonly hasSnapshot: boolean
  /** The collections that a snapshot is made of. */
  readonly keyed: readonly string[]
  epoch = ""
  /** The offset of the last entry that was handed to the live subscriptions. */
  tail = 0
  readonly subscriptions = new Set<ChannelSubscription>()
  /** In which codecs live subscriptions take entries. */
  readonly codecs = new Set<CodecName>()

  readonly #ports: ChannelPorts
  readonly #live = new Map<Encoding, Set<ChannelSubscription>>()
  #liveCount = 0
  /** The payload of an append that is being handed to the log, in its other codec. */
  #handed: { readonly body: Uint8Array; readonly converted: Uint8Array } | undefined
  /** The same of appends that are not acknowledged yet, by body. */
  readonly #converted = new Map<Uint8Array, Uint8Array>()
  readonly #ahead = new Set<ChannelSubscription>()
  /** The offset of the last entry that came in. */
  #received = 0
  #pending: Encoded[] = []
  /** Under a rate cap: which of them is the latest of each key. */
  #pendingByKey: Map<string, Encoded> | undefined
  #pendingBytes = 0
  #filling = true
  #missedWhileFilling = false
  #closed = false
  #unwatch: () => void = () => {}

  constructor(name: string, alias: number, match: ChannelMatch, ports: ChannelPorts) {
    this.name = name
    this.alias = alias
    this.match = match
    const { state, presence, snapshot } = match.definition
    this.keyed = Object.keys(retentionsOf(match)).filter(isKeyed)
    this.hasSnapshot = state !== undefined || presence !== undefined || snapshot !== undefined
    this.#ports = ports
  }

  /** Starts to follow the log: first watches, then asks where it stands, so nothing falls in between. */
  async open(): Promise<void> {
    this.#unwatch = await this.#ports.log.watch(this.name, (batch) => this.handleBatch(batch))
    try {
      const head = await this.#ports.log.head(this.name)
      this.epoch = head.epoch
      this.tail = this.#received = head.top
    } catch (error) {
      this.#unwatch()
      throw error
    }
    this.#filling = false
    if (this.#missedWhileFilling) this.#fill()
  }

  close(): void {
    this.#closed = true
    this.#unwatch()
  }

  /** Subscribes at a position. Who stands at the tail is live at once. */
  add(subscription: ChannelSubscription): void {
    this.subscriptions.add(subscription)
    this.joinOrCatchUp(subscription)
  }

  remove(subscription: ChannelSubscription): void {
    this.#leaveLive(subscription)
    this.#ahead.delete(subscription)
    subscription.state = "ended"
    this.subscriptions.delete(subscription)
    subscription.final?.handleReached()
  }

  /** Delivers nothing more to the subscription by itself: it is served from the log, up to the head that `final` gets. */
  finish(subscription: ChannelSubscription, final: Final): void {
    if (subscription.state === "live") this.#fallBehind(subscription, this.tail)
    this.#ahead.delete(subscription)
    subscription.final = final
  }

  /** Goes on with a subscription whose cursor is known to be one of this log's, or is yet to be looked at. */
  joinOrCatchUp(subscription: ChannelSubscription, known = false): void {
    if (subscription.final !== undefined) {
      this.#goOnToHead(subscription, subscription.final, known)
      return
    }
    const atTail = subscription.epoch === this.epoch && subscription.offset === this.tail
    if (!atTail || subscription.snapshot !== undefined) {
      const isAhead = subscription.epoch !== this.epoch || subscription.offset > this.tail
      if (known && isAhead) this.#waitForTail(subscription)
      else this.#ports.catchUp(subscription)
      return
    }
    subscription.state = "live"
    const { encoding } = subscription.outlet.link
    const group = this.#live.get(encoding)
    if (group === undefined) {
      this.#live.set(encoding, new Set([subscription]))
      this.codecs.add(encoding.codec)
    } else group.add(subscription)
    this.#liveCount++
    subscription.outlet.link.handleLive?.()
  }

  #goOnToHead(subscription: ChannelSubscription, { head, handleReached }: Final, known: boolean): void {
    if (head === undefined) return
    const { epoch, offset, snapshot } = subscription
    const isReached = epoch === head.epoch ? offset >= head.offset : known
    if (isReached && snapshot === undefined) handleReached()
    else this.#ports.catchUp(subscription)
  }

  /**
   * The subscriber has seen more than this node: it comes from another one, or has read of a new epoch first. The node
   * reads on; until it has, there is nothing to read for the subscriber that would bring it closer.
   */
  #waitForTail(subscription: ChannelSubscription): void {
    this.#ahead.add(subscription)
    if (!this.#filling) this.#fill()
  }

  /** What the log tells of appends, by anybody. */
  handleBatch(batch: Batch): void {
    if (this.#filling) {
      this.#missedWhileFilling = true
      return
    }
    if (batch.epoch !== this.epoch || batch.after > this.#received) {
      this.#fill()
      return
    }
    for (const entry of batch.entries) if (entry.offset > this.#received) this.#receive(entry)
  }

  /** What a reader saw of the log: it may know of a new epoch before the watch tells. */
  handleHead(head: Head): void {
    if (head.epoch === this.epoch || this.#filling) return
    this.#fill()
  }

  /** Delivers what came in during this turn: one shared burst per encoding, one write per subscription. */
  flush(cork?: (outlet: Outlet) => void): void {
    const pending = this.#pending
    const before = this.tail
    this.#pending = []
    this.#pendingByKey = undefined
    this.#pendingBytes = 0
    this.tail = this.#received
    for (const [encoding, group] of this.#live) {
      if (group.size > 0) this.#deliver(pending, encoding, group, before, cork)
    }
  }

  #deliver(
    pending: readonly Encoded[],
    encoding: Encoding,
    group: Set<ChannelSubscription>,
    before: number,
    cork: ((outlet: Outlet) => void) | undefined,
  ): void {
    const first = pending[0]
    if (first === undefined) return
    const burst =
      pending.length === 1
        ? first.frame(encoding)
        : encoding.join(pending.map((each) => each.frame(encoding)))
    for (const subscription of group) {
      const { outlet } = subscription
      if (outlet.blocked) {
        this.#fallBehind(subscription, before)
        continue
      }
      cork?.(outlet)
      outlet.write(burst)
    }
  }

  /** If the log hands this very body back before the append is acknowledged, its delivery takes what is converted already. */
  handOver<T>(body: Uint8Array, converted: Uint8Array, append: () => Promise<T>): Promise<T> {
    const handed = { body, converted }
    this.#handed = handed
    const appended = append()
    // a log in memory has handed it back already
    if (this.#handed !== handed) return appended
    this.#handed = undefined
    this.#converted.set(body, converted)
    const forget = () => void this.#converted.delete(body)
    appended.then(forget, forget)
    return appended
  }

  #takeConverted(body: Uint8Array): Uint8Array | undefined {
    const handed = this.#handed
    if (handed === undefined && this.#converted.size === 0) return undefined
    if (handed?.body !== body) return this.#converted.get(body)
    this.#handed = undefined
    return handed.converted
  }

  /** Sends what is not in the log, with this turn's burst, to those who can take it now. */
  signal(message: object, bytes: number): void {
    if (this.#liveCount === 0) return
    this.#enqueue(new Encoded(message), bytes)
  }

  #receive(entry: Entry): void {
    this.#received = entry.offset
    if (this.#liveCount === 0 && this.#pending.length === 0) {
      this.tail = entry.offset
      return
    }
    const position = { epoch: this.epoch, offset: entry.offset }
    const converted = this.#takeConverted(entry.body)
    const encoded = new Encoded(entryMessage(this.alias, entry, converted), position)
    if (this.match.definition.rate !== undefined) this.#supersede(entry, encoded)
    this.#enqueue(encoded, entry.body.byteLength)
  }

  /** Of the changes that came in together, as the rate cap lets them, only the last of each key is delivered. */
  #supersede({ collection, key }: Entry, encoded: Encoded): void {
    if (stateOf(collection) === undefined) return
    this.#pendingByKey ??= new Map()
    const place = `${collection}\n${key}`
    const before = this.#pendingByKey.get(place)
    if (before !== undefined) this.#pending.splice(this.#pending.lastIndexOf(before), 1)
    this.#pendingByKey.set(place, encoded)
  }

  #enqueue(encoded: Encoded, bytes: number): void {
    if (this.#pending.length === 0) this.#ports.markDirty(this)
    this.#pending.push(encoded)
    this.#pendingBytes += bytes + ENVELOPE_BYTES
    // a turn that publishes without end must not gather without end
    if (this.#pendingBytes >= this.#ports.burstBytesMax) this.flush()
  }

  #fallBehind(subscription: ChannelSubscription, offset: number): void {
    this.#leaveLive(subscription)
    subscription.state = "behind"
    subscription.epoch = this.epoch
    subscription.offset = offset
  }

  #leaveLive(subscription: ChannelSubscription): void {
    if (subscription.state !== "live") return
    const { encoding } = subscription.outlet.link
    const group = this.#live.get(encoding)
    group?.delete(subscription)
    if (group?.size === 0) {
      this.#live.delete(encoding)
      this.codecs.clear()
      for (const { codec } of this.#live.keys()) this.codecs.add(codec)
    }
    this.#liveCount--
  }

  /** Reads what the watch did not tell. */
  #fill(): void {
    this.#filling = true
    this.#missedWhileFilling = false
    this.#readOn().then(
      () => {
        this.#filling = false
        if (this.#closed) return
        if (this.#missedWhileFilling) this.#fill()
        else this.#releaseAhead()
      },
      (error: unknown) => {
        if (!this.#closed) this.#ports.handleFillError(this, error, () => this.#fill())
      },
    )
  }

  #releaseAhead(): void {
    if (this.#ahead.size === 0) return
    this.flush()
    const ahead = [...this.#ahead]
    this.#ahead.clear()
    for (const subscription of ahead) this.#ports.catchUp(subscription)
  }

  async #readOn(): Promise<void> {
    for (;;) {
      const page = await this.#ports.log.read(this.name, {
        after: this.#received,
        through: Number.MAX_SAFE_INTEGER,
        select: "all",
        entriesMax: 1_000,
        bytesMax: this.#ports.burstBytesMax,
      })
      if (this.#closed) return
      const { head } = page
      if (missed({ epoch: this.epoch, offset: this.#received }, head) !== undefined) {
        this.#startOver(head)
        return
      }
      for (const entry of page.entries) this.#receive(entry)
      if (page.next >= head.top) return
    }
  }

  /** The node's own cursor cannot go on: every live subscription finds out for itself what it has missed. */
  #startOver(head: Head): void {
    this.flush()
    const live = [...this.#live.values()].flatMap((group) => [...group])
    for (const subscription of live) this.#fallBehind(subscription, this.tail)
    this.epoch = head.epoch
    this.tail = this.#received = head.top
    for (const subscription of live) this.#ports.catchUp(subscription)
    this.#ports.handleStartOver(this)
  }
}
