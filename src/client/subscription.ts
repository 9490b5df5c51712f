import type { HoldfastError } from "../protocol/error.ts"
import type {
  EntryMessage,
  Gap,
  GapReason,
  History,
  Signal,
  Snapshot,
  SnapshotEntry,
  Subscribed,
  SubscriptionRequest,
} from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import type { StateChange } from "./state-view.ts"

/**
 * `idle`: nobody listens, so the server was not asked. `subscribing`: asked, or to be asked when there is a connection.
 * `live`: everything up to `position` was delivered, and more follows as it comes. `refused`: the server said no.
 */
export type SubscriptionStatus = "idle" | "subscribing" | "live" | "refused" | "closed"

/** What became of a channel, in the order in which it is to be told. `told` is what a listener is called with. */
export type Change =
  | { readonly type: "event"; readonly name: string; readonly told: readonly [unknown, EventMeta] }
  | { readonly type: "gap"; readonly told: readonly [GapChange] }
  | { readonly type: "state"; readonly name: string; readonly told: readonly [StateChange<unknown>] }
  | { readonly type: "members"; readonly told: readonly [ReadonlyMap<string, unknown>] }
  | { readonly type: "signal"; readonly name: string; readonly told: readonly [unknown, SignalMeta] }
  | { readonly type: "status"; readonly told: readonly [SubscriptionStatus, HoldfastError | undefined] }

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
export type ChannelMessage = Subscribed | Gap | Snapshot | Signal | EntryMessage

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
  members: Values = new Map()
  /** Whether the line that is up has been asked. */
  requested = false
  /** Why it was refused or closed. */
  error: HoldfastError | undefined
  readonly #history: History | undefined
  #states = new Map<string, Values>()
  #pending: Pending | undefined
  /** Entries of this epoch up to here are replayed. */
  #top: Position | undefined
  #changes: Change[] = []

  constructor(channel: string, history?: History) {
    this.channel = channel
    this.#history = history
  }

  takeChanges(): Change[] {
    const changes = this.#changes
    this.#changes = []
    return changes
  }

  /** The values of a state, by key. */
  values(name: string): ReadonlyMap<string, unknown> {
    return valuesOf(this.#states, name)
  }

  /** Wants the channel. After a refusal, asks again. */
  subscribe(): void {
    if (this.status === "idle" || this.status === "refused") this.#become("subscribing")
  }

  /** With an error, unless it was the holder's wish. */
  close(error?: HoldfastError): void {
    this.#become("closed", error)
  }

  /** What to ask the server. */
  request(): SubscriptionRequest {
    this.requested = true
    const { channel, position } = this
    if (position !== undefined) return { channel, position }
    return this.#history === undefined ? { channel } : { channel, history: this.#history }
  }

  /** The line is gone, or the server has let the channel go: it has to be asked again. */
  handleDown(): void {
    this.requested = false
    this.#pending = undefined
    // another connection, perhaps with another token: a refusal may not last
    if (this.status === "live" || this.status === "refused") this.#become("subscribing")
  }

  handleUnsubscribed(error: HoldfastError): void {
    this.handleDown()
    this.#become("refused", error)
  }

  /** What the server says about this channel. */
  handleMessage(message: ChannelMessage): void {
    if (message.type === "subscribed") this.#handleSubscribed(message)
    else if (message.type === "gap") this.#handleGap(message)
    else if (message.type === "snapshot") this.#handleSnapshot(message)
    else if (message.type === "signal") {
      this.#changes.push({ type: "signal", name: message.name, told: [message.data, { from: message.from }] })
    } else this.#handleEntry(message)
  }

  #handleSubscribed({ position, top, snapshot }: Subscribed): void {
    this.#top = { epoch: position.epoch, offset: top }
    if (snapshot) {
      this.#pending = { to: position, gap: undefined, entries: [] }
      return
    }
    // never back within an epoch: what stands between has been delivered
    if (position.epoch !== this.position?.epoch || position.offset > this.position.offset)
      this.position = position
    this.#become("live")
  }

  #handleGap(told: Gap): void {
    const gap = joined(this.#pending?.gap, told)
    this.#pending = gap.snapshot ? { to: gap.to, gap, entries: [] } : undefined
    if (!gap.snapshot) this.#jump(gap.to, gap)
  }

  #handleSnapshot({ entries, last }: Snapshot): void {
    const pending = this.#pending
    if (pending === undefined) return
    for (const entry of entries) pending.entries.push(entry)
    if (!last) return
    this.#pending = undefined
    this.#jump(pending.to, pending.gap)
    this.#replace(pending.entries)
    if (this.status !== "live") this.#become("live")
  }

  #handleEntry(entry: EntryMessage): void {
    const { position } = this
    if (position === undefined) return
    const { offset } = entry
    if (offset <= position.offset) {
      this.stats.duplicates++
      return
    }
    this.position = { epoch: position.epoch, offset }
    if (entry.type === "event") {
      const { name, data, at } = entry
      const replayed = position.epoch === this.#top?.epoch && offset <= this.#top.offset
      this.stats.delivered++
      if (replayed) this.stats.replayed++
      this.#changes.push({ type: "event", name, told: [data, { offset, at, replayed }] })
    } else if ("key" in entry) {
      // undefined cannot travel, so it can stand for no value
      const value = entry.type === "set" ? entry.data : undefined
      const values = valuesOf(this.#states, entry.name)
      const previous = values.get(entry.key)
      if (entry.type === "set") values.set(entry.key, value)
      else values.delete(entry.key)
      this.#tellState(entry.name, entry.key, value, previous)
    } else {
      if (entry.type === "join") this.members.set(entry.member, entry.data)
      else this.members.delete(entry.member)
      this.#tellMembers()
    }
  }

  #jump(to: Position, gap: Gap | undefined): void {
    this.position = to
    if (gap === undefined) return
    this.stats.gaps++
    this.#changes.push({ type: "gap", told: [{ reason: gap.reason, from: gap.from, to }] })
  }

  /** Puts a complete snapshot in the place of all that was folded so far. Listeners are told when all of it is in place. */
  #replace(entries: readonly SnapshotEntry[]): void {
    const [before, states] = [this.#states, new Map<string, Values>()]
    this.#states = states
    this.members = new Map()
    for (const entry of entries) {
      if (entry.type === "join") this.members.set(entry.member, entry.data)
      else valuesOf(states, entry.name).set(entry.key, entry.data)
    }
    for (const name of new Set([...before.keys(), ...states.keys()])) {
      const [old, values] = [valuesOf(before, name), valuesOf(states, name)]
      for (const key of new Set([...old.keys(), ...values.keys()])) {
        this.#tellState(name, key, values.get(key), old.get(key))
      }
    }
    this.#tellMembers()
  }

  #tellState(name: string, key: string, value: unknown, previous: unknown): void {
    if (value !== previous) this.#changes.push({ type: "state", name, told: [{ key, value, previous }] })
  }

  #tellMembers(): void {
    this.#changes.push({ type: "members", told: [this.members] })
  }

  #become(status: SubscriptionStatus, error?: HoldfastError): void {
    if (this.status === "closed") return
    this.status = status
    this.error = error
    this.#changes.push({ type: "status", told: [status, error] })
  }
}

function valuesOf(states: Map<string, Values>, name: string): Values {
  const values = states.get(name) ?? new Map()
  states.set(name, values)
  return values
}

/** A gap that came while the snapshot of another was on its way: that one was not told yet, so this one covers both. */
function joined(before: Gap | undefined, gap: Gap): Gap {
  if (before === undefined) return gap
  const { from } = before
  return { ...gap, from, reason: from.epoch === gap.to.epoch ? gap.reason : "new-epoch" }
}
