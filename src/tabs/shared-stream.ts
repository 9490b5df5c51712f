import type { Wire } from "../client/transport.ts"
import type {
  EntryMessage,
  Gap,
  Reached,
  Signal,
  Snapshot,
  Subscribed,
  SubscriptionRequest,
  Unsubscribed,
} from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"

/** What the server says of a channel by its alias. */
export type StreamMessage = Subscribed | Gap | Snapshot | EntryMessage | Reached | Signal

/** A tab that subscribes, and up to where it was served. */
export interface Follower<Tab> {
  readonly tab: Tab
  /** What it has asked for and was not answered. */
  request: SubscriptionRequest | undefined
  /** What it was answered, as long as the snapshot that belongs to it is not complete. */
  unfinished: SubscriptionRequest | undefined
  /** How many answers it waits for. */
  unanswered: number
  /** Where its own cursor stands, by the same rules as its client's. */
  position: Position | undefined
  /** Up to where it was told of gaps. */
  gapsTo: Position | undefined
  /** Up to which offset it has states and members, where that is above its cursor. */
  snapshotOffset: number | undefined
}

export interface StreamPorts<Tab> {
  /** Asks the server to move the one cursor. */
  readonly subscribe: (request: SubscriptionRequest) => void
  readonly unsubscribe: () => void
  readonly encode: (message: StreamMessage | Unsubscribed) => Wire
  readonly send: (tab: Tab, wire: Wire) => void
}

/**
 * One channel of the connection that tabs share: one cursor on the server, and one of each tab, which are followed by the
 * same rules. Entries go to every tab that has all before them. A tab that has not, because it is new, or because the
 * cursor was moved for another one, is *served*: the cursor is moved to where it stands, and what the server answers is
 * for this tab alone. Those that are further on drop nothing and miss nothing: they are given what is new to them.
 */
export class SharedStream<Tab> {
  readonly #channel: string
  /** The tabs' number for it, which stays the same when the server's changes. */
  readonly #alias: number
  readonly #ports: StreamPorts<Tab>
  readonly #followers = new Map<Tab, Follower<Tab>>()
  /** For whom the cursor was moved last. */
  #serving: Follower<Tab> | undefined
  /** What it was moved for, until the server answers. */
  #asked: SubscriptionRequest | undefined
  /** Where the server's cursor stands, as far as what it said has come. */
  #position: Position | undefined
  #top = 0
  #snapshotting = false

  constructor(channel: string, alias: number, ports: StreamPorts<Tab>) {
    this.#channel = channel
    this.#alias = alias
    this.#ports = ports
  }

  /** Whether anybody follows. */
  get isFollowed(): boolean {
    return this.#followers.size > 0
  }

  /** The tab asks to be subscribed, perhaps again. `pump` has to follow. */
  add(tab: Tab, request: SubscriptionRequest): void {
    const follower = this.#followers.get(tab) ?? {
      tab,
      request,
      unfinished: undefined,
      unanswered: 0,
      position: undefined,
      gapsTo: undefined,
      snapshotOffset: undefined,
    }
    // what it asked before, and was not asked of the server, will not be: so it is answered as what it does not look at
    if (follower.unanswered > 0 && follower.request !== this.#asked) this.#refuse(follower, STALE)
    follower.request = request
    follower.unfinished = undefined
    follower.unanswered++
    follower.position = request.position
    follower.snapshotOffset = request.snapshotOffset
    this.#followers.set(tab, follower)
  }

  /** The tab is gone, or lets the channel go. Tells the server when it was the last one. */
  remove(tab: Tab): void {
    const follower = this.#followers.get(tab)
    if (follower === undefined) return
    while (follower.unanswered > 0) this.#refuse(follower, STALE)
    this.#followers.delete(tab)
    if (this.#serving === follower) this.#serving = undefined
    if (!this.isFollowed) this.#ports.unsubscribe()
    else this.pump()
  }

  /** What to ask the server next, if anything. The asking is up to the caller. */
  next(): SubscriptionRequest | undefined {
    if (this.#asked !== undefined || this.#snapshotting) return undefined
    if (this.#position !== undefined) for (const follower of this.#followers.values()) this.#join(follower)
    const follower = this.#nextToServe()
    if (follower === undefined) return undefined
    const { request, unfinished } = follower
    this.#serving = follower
    this.#asked = request ?? unfinished ?? this.#requestOf(follower)
    return this.#asked
  }

  pump(): void {
    const request = this.next()
    if (request !== undefined) this.#ports.subscribe(request)
  }

  handleMessage(said: StreamMessage): void {
    const message = { ...said, alias: this.#alias }
    if (message.type === "subscribed") this.#handleSubscribed(message)
    else if (message.type === "gap") this.#handleGap(message)
    else if (message.type === "snapshot") this.#handleSnapshot(message)
    else if (message.type === "signal") this.#handleSignal(message)
    else this.#handleEntry(message)
  }

  /** The server's cursor is gone, with what was on its way: it has to be asked for anew. */
  handleDown(): void {
    this.#serving = this.#asked = this.#position = undefined
    this.#snapshotting = false
  }

  /** The server has no subscription any more: everybody hears of it. */
  handleUnsubscribed(message: Unsubscribed): void {
    for (const follower of this.#followers.values()) {
      do this.#refuse(follower, message)
      while (follower.unanswered > 0)
    }
    this.#followers.clear()
  }

  /** For whom is what comes now: nobody, as long as it comes from where the cursor was before. */
  get #served(): Follower<Tab> | undefined {
    return this.#asked === undefined ? this.#serving : undefined
  }

  #handleSubscribed(message: Subscribed): void {
    const { position, top, snapshot } = message
    const follower = this.#serving
    if (follower !== undefined) {
      const answers = follower.unanswered > 0
      if (follower.request === this.#asked) follower.request = undefined
      follower.unfinished = snapshot ? this.#asked : undefined
      // a tab whose cursor was only brought back has not asked, and is told only if it has to know
      if (answers || snapshot) {
        if (answers) follower.unanswered--
        this.#tell(follower.tab, message)
      }
      if (!snapshot && !isPast(position, follower.position)) follower.position = position
    }
    this.#asked = undefined
    this.#top = top
    this.#position = position
    this.#snapshotting = snapshot
    this.pump()
  }

  #handleGap(message: Gap): void {
    const { reason, to, position, snapshot } = message
    // of another epoch, or above what the log has
    if (reason !== "trimmed") this.#top = 0
    this.#position = position
    this.#snapshotting = snapshot
    const served = this.#served
    if (served !== undefined) {
      served.gapsTo = to
      this.#tell(served.tab, message)
      if (!snapshot) served.position = position
    }
    for (const follower of this.#followers.values()) if (follower !== served) this.#missGap(follower, to)
    this.pump()
  }

  /** A gap that a tab was not told of: it asks again from where it stands, which may be where the cursor stands too. */
  #missGap(follower: Follower<Tab>, to: Position): void {
    const { request, position } = follower
    if (request !== undefined || position === undefined) return
    if (isPast(to, follower.gapsTo) || isPast(to, position)) return
    follower.unfinished ??= this.#requestOf(follower)
  }

  #handleSnapshot(message: Snapshot): void {
    const follower = this.#served
    if (follower !== undefined) this.#tell(follower.tab, message)
    if (!message.last) return
    this.#snapshotting = false
    if (follower !== undefined) {
      follower.position = this.#position
      follower.snapshotOffset = message.offset
      follower.unfinished = undefined
    }
    this.pump()
  }

  #handleEntry(message: EntryMessage | Reached): void {
    const before = this.#position
    if (before === undefined) return
    const position = { epoch: before.epoch, offset: message.offset }
    this.#position = position
    let wire: Wire | undefined
    for (const follower of this.#followers.values()) {
      const isServed = follower === this.#served
      // one that misses what was before this entry is served in its turn
      const isWaiting = follower.request !== undefined || follower.unfinished !== undefined
      if (!isServed && (isWaiting || !isPast(before, follower.position))) continue
      if (isPast(position, follower.position)) continue
      follower.position = position
      wire ??= this.#ports.encode(message)
      this.#ports.send(follower.tab, wire)
    }
  }

  #handleSignal(message: Signal): void {
    const wire = this.#ports.encode(message)
    for (const { tab, request } of this.#followers.values()) {
      if (request === undefined) this.#ports.send(tab, wire)
    }
  }

  /** Answers a tab that has everything up to the cursor without the server's help. */
  #join(follower: Follower<Tab>): void {
    const { request, tab } = follower
    const position = request?.position
    if (request === undefined || position === undefined || request.load) return
    if (!isPast(this.#position as Position, position)) return
    follower.request = undefined
    follower.unanswered--
    follower.position = position
    const { offset } = this.#position as Position
    this.#tell(tab, {
      type: "subscribed",
      channel: this.#channel,
      alias: this.#alias,
      position,
      top: Math.max(this.#top, offset),
      snapshot: false,
    })
  }

  /**
   * Who has to be served next. Whoever stands lowest comes last, for all others of the same epoch go on from there with it:
   * nobody has to be served twice for somebody else's sake.
   */
  #nextToServe(): Follower<Tab> | undefined {
    let lowest: Follower<Tab> | undefined
    for (const follower of this.#followers.values()) {
      const { request, unfinished, position } = follower
      const isBehind =
        follower !== this.#serving && (unfinished !== undefined || !isPast(this.#position, position))
      if (request === undefined && !isBehind) continue
      const isElsewhere = this.#position !== undefined && position?.epoch !== this.#position.epoch
      if (position === undefined || request?.load || isElsewhere) return follower
      if (lowest === undefined || position.offset < (lowest.position as Position).offset) lowest = follower
    }
    return lowest
  }

  /** What asks the server to go on from where the tab's cursor stands. */
  #requestOf({ position, snapshotOffset }: Follower<Tab>): SubscriptionRequest {
    // codecs leave out what is undefined
    return { channel: this.#channel, position, snapshotOffset } as SubscriptionRequest
  }

  #refuse(follower: Follower<Tab>, { code, message }: Pick<Unsubscribed, "code" | "message">): void {
    follower.unanswered--
    this.#tell(follower.tab, { type: "unsubscribed", channel: this.#channel, code, message })
  }

  #tell(tab: Tab, message: StreamMessage | Unsubscribed): void {
    this.#ports.send(tab, this.#ports.encode(message))
  }
}

/** Answers what a tab has taken back, or asked anew. Its client counts answers, and looks at the last one. */
const STALE = { code: "closed", message: "The tab has asked for something else since" }

/** Whether `position` has everything up to `cursor`: it is of the same epoch, and not below. */
function isPast(cursor: Position | undefined, position: Position | undefined): boolean {
  return cursor !== undefined && cursor.epoch === position?.epoch && cursor.offset <= position.offset
}
