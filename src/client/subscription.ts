import type { HoldfastError } from "../protocol/error.ts"
import type {
  EntryMessage,
  Gap,
  GapReason,
  History,
  Joined,
  Reached,
  Signal,
  Snapshot,
  SnapshotEntry,
  Subscribed,
  SubscriptionRequest,
} from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import { type Member, type MemberChange, Members } from "./members.ts"

/**
 * `idle`: nobody listens, so the server was not asked. `subscribing`: asked, or to be asked when there is a connection.
 * `live`: everything that was there when the server was asked was delivered, and more follows as it comes. `refused`: the server said no.
 */
export type SubscriptionStatus = "idle" | "subscribing" | "live" | "refused" | "closed"

/** What becomes of a channel, by type: what a listener is called with. */
export interface Told {
  readonly event: readonly [unknown, EventMeta]
  readonly gap: readonly [GapChange]
  readonly state: readonly [StateChange<unknown>]
  readonly members: readonly [ReadonlyMap<string, unknown>]
  readonly join: readonly [Member<unknown>]
  readonly left: readonly [Member<unknown>]
  /** And what it was before. */
  readonly update: readonly [Member<unknown>, Member<unknown>]
  /** The server has removed this client's member, or has not let it in. */
  readonly removed: readonly [HoldfastError]
  readonly signal: readonly [unknown, SignalMeta]
  /** What the server's own code has loaded: the fold of all entries so far. */
  readonly loaded: readonly [unknown]
  readonly status: readonly [SubscriptionStatus, HoldfastError | undefined]
  /** The server has let us in: what belongs to a connection has to be said again. */
  readonly up: readonly []
  readonly error: readonly [HoldfastError]
}

/** One thing that became of a channel. */
export type Change = {
  [Type in keyof Told]: {
    readonly type: Type
    readonly told: Told[Type]
    /** Of the event, state or signal. */
    readonly name?: string
    /** It is in the value that the server has loaded. */
    readonly isLoaded?: boolean
  }
}[keyof Told]

/** One key of a state was given another value. */
export interface StateChange<Value> {
  readonly key: string
  /** Undefined when the key was deleted. */
  readonly value: Value | undefined
  /** Undefined when there was none. */
  readonly previous: Value | undefined
}

/** What is told about an event, beside its data. */
export interface EventMeta {
  readonly offset: number
  /** When it was published, in ms since 1970 of the server's clock. */
  readonly at: number
  /** Whether it had been published before the subscription was made, or made again. */
  readonly replayed: boolean
}

export interface SignalMeta {
  /** The member that sent it; undefined when the server did. */
  readonly from: string | undefined
}

export interface GapChange {
  readonly reason: GapReason
  /** `events`, `presence`, or `state/` and the name of a state; undefined when entries of any kind may be missing. */
  readonly collections: readonly string[] | undefined
  /** Entries after here, up to and including `to`, can no longer be had. */
  readonly from: Position
  readonly to: Position
}

/** What a channel counted since it was opened. */
export interface ChannelStats {
  /** Events. */
  readonly delivered: number
  /** Of these, how many were replayed. */
  readonly replayed: number
  /** Entries that came again, and were dropped. */
  readonly duplicates: number
  readonly gaps: number
}

/** What the server says about a channel once it is subscribed. */
export type ChannelMessage = Subscribed | Gap | Snapshot | Signal | EntryMessage | Reached

type Values = Map<string, unknown>

/** A snapshot on its way, and where it leads. Nothing of it is applied before all of it is here. */
interface Pending {
  readonly to: Position
  readonly gap: Gap | undefined
  readonly entries: SnapshotEntry[]
}

/**
 * A cursor on a channel's log, and the fold of what it has passed: values by key, and members. `position` moves only
 * with what was applied, so a cut at any moment is resumed without a hole and without a double.
 */
export class Subscription {
  readonly channel: string
  readonly stats = { delivered: 0, replayed: 0, duplicates: 0, gaps: 0 }
  status: SubscriptionStatus = "idle"
  position: Position | undefined
  readonly members = new Members()
  /** What this client enters the presence with anew, and the version. */
  place: (() => { readonly data: unknown; readonly version: number } | undefined) | undefined
  /** The log could not serve it, so it is not asked for again at once. */
  isPaused = false
  /** Another one when the server has to be asked anew, over whichever line. */
  ask: object = {}
  /** Why it was refused or closed. */
  error: HoldfastError | undefined
  readonly #history: History | undefined
  readonly #tell: (change: Change) => void
  #states = new Map<string, Values>()
  #pending: Pending | undefined
  /** Entries of this epoch up to here are replayed. It is live when they are here. */
  #top: Position | undefined
  /** Whether to ask for the server's loaded value though there is a position. */
  #load = false
  /** Entries up to here are in the server's loaded value. */
  #loadedOffset = -1
  /** States and members are complete up to here: entries of theirs that are not above change nothing. */
  #snapshotOffset = 0

  /** @param tell is given every change, in order, once it is in place */
  constructor(channel: string, history: History | undefined, tell: (change: Change) => void) {
    this.channel = channel
    this.#history = history
    this.#tell = tell
  }

  /** Whether the server is to be asked. */
  get wants(): boolean {
    return (this.status === "subscribing" || this.status === "live") && !this.isPaused
  }

  /** The values of a state, by key. */
  values(name: string): ReadonlyMap<string, unknown> {
    return valuesOf(this.#states, name)
  }

  /** Wants the channel. After a refusal, asks again. */
  subscribe(): void {
    if (this.status === "idle" || this.status === "refused") this.#become("subscribing")
  }

  /** Wants the server's loaded value. A first answer brings it anyway; later, the server has to be asked for it. */
  load(): void {
    if (this.position === undefined) return
    this.#load = true
    this.ask = {}
    if (this.status === "live") this.#become("subscribing")
  }

  /** With an error, unless it was the holder's wish. */
  close(error?: HoldfastError): void {
    this.#become("closed", error)
  }

  /** What to ask the server. */
  request(): SubscriptionRequest {
    const { channel, position } = this
    const snapshotOffset = this.#snapshotOffset > (position?.offset ?? 0) ? this.#snapshotOffset : undefined
    const start = position
      ? { position, snapshotOffset, load: this.#load || undefined }
      : { history: this.#history }
    // codecs leave out what is undefined
    return { channel, ...start } as SubscriptionRequest
  }

  handleUp(): void {
    this.#tell({ type: "up", told: [] })
  }

  /** The line is gone. */
  handleDown(): void {
    this.isPaused = false
    this.#pending = this.#top = undefined
    // another connection, perhaps with another token: a refusal may not last
    if (this.status === "live" || this.status === "refused") this.#become("subscribing")
  }

  /** The server has let the channel go, and is to be asked again. */
  handleEnd(): void {
    this.ask = {}
    this.handleDown()
  }

  handleUnsubscribed(error: HoldfastError): void {
    this.handleEnd()
    this.#become("refused", error)
    this.#tell({ type: "error", told: [error] })
  }

  handleRemoved(error: HoldfastError): void {
    this.#tell({ type: "removed", told: [error] })
  }

  /** Something was refused that no promise tells. */
  fail(error: HoldfastError): void {
    this.#tell({ type: "error", told: [error] })
  }

  /** Whether it stands elsewhere by now, as when the line before went on while the next one was asked. */
  hasMoved({ epoch, offset }: Position): boolean {
    const { position } = this
    return position !== undefined && (position.epoch !== epoch || position.offset !== offset)
  }

  /** What the server says about this channel. */
  handleMessage(message: ChannelMessage): void {
    if (message.type === "subscribed") this.#handleSubscribed(message)
    else if (message.type === "gap")
      // one that came while the snapshot of another was on its way: that one was not told yet, so this one covers both
      this.#await(message.position, message.snapshot, {
        ...message,
        from: (this.#pending?.gap ?? message).from,
      })
    else if (message.type === "snapshot") this.#handleSnapshot(message)
    else if (message.type === "signal") {
      const { type, name, data, from } = message
      this.#tell({ type, name, told: [data, { from }] })
    } else this.#handleEntry(message)
    this.#settle()
  }

  #handleSubscribed({ position, top, snapshot }: Subscribed): void {
    // over another line, without having been away, nothing is replayed; and each poll is answered with a higher top
    if (this.status !== "live") this.#top ??= { epoch: position.epoch, offset: top }
    this.#load &&= snapshot
    this.#await(position, snapshot)
  }

  /** Live, unless something is still on its way that was there when the server was asked. */
  #settle(): void {
    const { position } = this
    const top = this.#top
    const isReplaying =
      position?.epoch === top?.epoch && (position?.offset as number) < (top?.offset as number)
    if (this.#pending || this.#load || isReplaying) return
    this.#top = undefined
    this.#become("live")
  }

  /** The cursor goes to `to`; with the snapshot, if one follows. */
  #await(to: Position, snapshot: boolean, gap?: Gap): void {
    this.#pending = { to, gap, entries: [] }
    if (!snapshot) this.#arrive()
  }

  #handleSnapshot({ offset, entries, restarts, loaded, last }: Snapshot): void {
    const pending = this.#pending
    if (pending === undefined) return
    if (restarts) pending.entries.length = 0
    pending.entries.push(...entries)
    if (!last) return
    this.#load = false
    if (loaded !== undefined) {
      this.#loadedOffset = loaded.offset
      this.#tell({ type: "loaded", told: [loaded.data] })
    }
    this.#arrive()
    this.#replace(pending.entries)
    this.#snapshotOffset = offset
  }

  /** All of what was awaited is here. */
  #arrive(): void {
    const { to, gap } = this.#pending as Pending
    this.#pending = undefined
    const held = this.position
    // the log has gone back, or is another one
    const isElsewhere = to.epoch !== held?.epoch || gap?.reason === "unknown-position"
    if (isElsewhere) this.#snapshotOffset = 0
    if (isElsewhere && held) this.#top = undefined
    // never back within an epoch: what stands between has been delivered
    const hasReached = ({ offset }: Position) => !isElsewhere && offset <= held.offset
    if (!hasReached(to)) this.position = to
    if (gap === undefined || hasReached(gap.to)) return
    const { type, collections, to: end } = gap
    const from = held ?? gap.from
    const reason = from.epoch === end.epoch ? gap.reason : "new-epoch"
    this.stats.gaps++
    this.#tell({ type, told: [{ reason, collections, from, to: end }] })
  }

  #handleEntry(entry: EntryMessage | Reached): void {
    const { position } = this
    // a newer server may say more
    if (position === undefined || !/^(event|set|delete|join|left|position)$/.test(entry.type)) return
    const { offset } = entry
    if (offset <= position.offset) {
      this.stats.duplicates++
      return
    }
    this.position = { epoch: position.epoch, offset }
    if (entry.type === "event") {
      const { type, name, data, at } = entry
      const replayed = position.epoch === this.#top?.epoch && offset <= this.#top.offset
      this.stats.delivered++
      if (replayed) this.stats.replayed++
      const isLoaded = offset <= this.#loadedOffset
      this.#tell({ type, name, told: [data, { offset, at, replayed }], isLoaded })
    } else if (entry.type === "position" || offset <= this.#snapshotOffset) {
      // nothing is new: the snapshot has it, or what came of it
    } else if ("key" in entry) {
      const { name, key } = entry
      // undefined cannot travel, so it can stand for no value
      const value = entry.type === "set" ? entry.data : undefined
      const values = valuesOf(this.#states, name)
      const previous = values.get(key)
      if (entry.type === "set") values.set(key, value)
      else values.delete(key)
      this.#tellState(name, key, value, previous)
    } else {
      const change = this.members.set(entry.member, entry.type === "join" ? entry : undefined)
      this.#tellMembers(change ? [change] : [])
    }
  }

  /** Puts a complete snapshot in the place of all that was folded so far. Listeners are told when all of it is in place. */
  #replace(entries: readonly SnapshotEntry[]): void {
    const [before, states] = [this.#states, new Map<string, Values>()]
    const members = new Map<string, Omit<Joined, "alias">>()
    this.#states = states
    for (const entry of entries) {
      if (entry.type === "join") members.set(entry.member, entry)
      else if (entry.type === "left") members.delete(entry.member)
      else if (entry.type === "set") valuesOf(states, entry.name).set(entry.key, entry.data)
      else if (entry.type === "delete") valuesOf(states, entry.name).delete(entry.key)
    }
    const changes = this.members.replace(members)
    for (const name of new Set([...before.keys(), ...states.keys()])) {
      const [old, values] = [valuesOf(before, name), valuesOf(states, name)]
      for (const key of new Set([...old.keys(), ...values.keys()])) {
        this.#tellState(name, key, values.get(key), old.get(key))
      }
    }
    this.#tellMembers(changes)
  }

  #tellState(name: string, key: string, value: unknown, previous: unknown): void {
    if (value === previous) return
    const isLoaded = (this.position?.offset ?? 0) <= this.#loadedOffset
    this.#tell({ type: "state", name, told: [{ key, value, previous }], isLoaded })
  }

  #tellMembers(changes: readonly MemberChange[]): void {
    for (const change of changes) this.#tell(change)
    this.#tell({ type: "members", told: [this.members.data] })
  }

  #become(status: SubscriptionStatus, error?: HoldfastError): void {
    if (this.status === "closed" || this.status === status) return
    this.status = status
    this.error = error
    this.#tell({ type: "status", told: [status, error] })
  }
}

function valuesOf(states: Map<string, Values>, name: string): Values {
  const values = states.get(name) ?? new Map()
  states.set(name, values)
  return values
}
