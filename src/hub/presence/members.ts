import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import type { Retention } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import { encodeMember } from "../channel/member-entry.ts"
import { lifeOf, nodeOf } from "../cluster/node-keys.ts"
import { Nodes } from "../cluster/nodes.ts"
import type { Connection } from "../connection/connection.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Entropy } from "../ports/entropy.ts"
import type { Logger } from "../ports/logger.ts"
import { Timers } from "../ports/timers.ts"
import { atOnce } from "./at-once.ts"
import { HeldChannels } from "./held-channels.ts"
import { type Place, Places } from "./places.ts"
import { reap } from "./reaper.ts"
import { Reconciler } from "./reconciler.ts"
import { Register } from "./register.ts"
import { Removals } from "./removals.ts"
import { Stamps } from "./stamps.ts"

/** What presence needs of the hub around it. */
export interface MembersPorts {
  /** This node's name, another one in each of its processes. */
  readonly node: string
  readonly log: Log
  readonly clock: Clock
  readonly entropy: Entropy
  readonly logger: Logger
  readonly limits: Limits
  /** What the presence of a channel retains. */
  readonly retention: (channel: string) => Retention
}

/**
 * The members whose clients are connected to this node. A member is a last-writer-wins register in the channel's log (`register.ts`). Its
 * client stamps whatever it asks for; a node removes a member with the version that it has put. So whatever comes late, over whichever
 * connection and node, is refused, and no node has to know what happens at another.
 */
export class Members {
  readonly #ports: MembersPorts
  readonly #places = new Places()
  readonly #timers: Timers
  readonly #stamps: Stamps
  readonly #register: Register
  readonly #removals: Removals
  readonly #held: HeldChannels
  readonly #reconciler: Reconciler
  /** Undefined where the log ends with this process. */
  readonly #nodes: Nodes | undefined
  readonly #stopWatching: () => void
  #closed = false

  constructor(ports: MembersPorts) {
    this.#ports = ports
    const { log, clock, entropy } = ports
    const timers = new Timers(clock)
    const register = new Register(ports)
    this.#timers = timers
    this.#register = register
    this.#stamps = new Stamps(clock)
    this.#reconciler = new Reconciler({ ...ports, timers, reconcile: (channel) => this.#reconcile(channel) })
    if (log.shared || log.durable) {
      this.#nodes = new Nodes({
        ...ports,
        handleNewEpoch: () => this.#reconcileAll(),
        handleNewLife: () => this.#reconcileAll(),
        reap: (life) => reap({ ...ports, register }, life),
      })
    }
    const isOccupied = (channel: string) => this.#places.has(channel)
    this.#held = new HeldChannels({ ...ports, digest: entropy.digest, nodes: this.#nodes, isOccupied })
    const touch = (channel: string) => this.#held.touch(channel)
    this.#removals = new Removals({ ...ports, register, timers, touch })
    this.#nodes?.start()
    const stop = log.watchAvailability?.((failure) => failure === undefined && this.#reconcileAll())
    this.#stopWatching = stop ?? (() => {})
  }

  /** The nodes that share the log, without this one. */
  otherNodes(): string[] {
    return this.#nodes?.others() ?? []
  }

  /** Resolves when it is known which these are. */
  async otherNodesKnown(): Promise<void> {
    await this.#nodes?.known
  }

  /** @throws HoldfastError `version_ahead`; `revoked`, which is final for the connection */
  check(channel: string, { member, revoked }: Connection, version: number): void {
    if (revoked?.has(channel)) throw new HoldfastError("revoked", errorCodes.revoked)
    this.#stamps.check(channel, member, version)
  }

  /** @param data MessagePack. @throws HoldfastError `superseded`, and what the log fails with */
  async enter(channel: string, connection: Connection, data: Uint8Array, version: number): Promise<void> {
    const { member, userId: user, id: owner, isBrief } = connection
    await this.#ready(channel, member)
    const isOpen = connection.state !== "closed"
    // a request may be over before its handler is: its member stays for a lease
    if (!isOpen && !isBrief) return
    // it may have been revoked meanwhile
    this.check(channel, connection, version)
    const before = this.#places.find(channel, member)
    const body = encodeMember({ user, data })
    const isRepeated = before?.version === version && equal(before.body, body)
    if (before !== undefined && version <= before.version && !isRepeated)
      throw this.#stamps.superseded(channel, member, before.version + 1)
    const place = { version, body, user, owner, isBrief, pending: undefined }
    await this.#put(channel, member, { ...place, connection: isOpen ? connection : undefined })
    if (!isOpen) this.release(connection, true)
  }

  /** The member's data is another, and not by its client's doing. Does nothing if it is not this connection's. */
  async update(channel: string, connection: Connection, data: Uint8Array): Promise<void> {
    const { member, userId: user, id } = connection
    await this.#ready(channel, member)
    const place = this.#places.find(channel, member)
    const body = encodeMember({ user, data })
    if (place?.owner !== id || equal(place.body, body)) return
    await this.#put(channel, member, { ...place, body, version: place.version + 1 })
  }

  /**
   * Resolves when the log knows.
   * @throws HoldfastError `version_ahead`, `superseded`; what the log fails with: it is tried again all the same
   */
  async leave(channel: string, { member }: Connection, version: number): Promise<void> {
    this.#stamps.check(channel, member, version)
    const place = this.#places.find(channel, member)
    if (place !== undefined && version < place.version)
      throw this.#stamps.superseded(channel, member, place.version + 1)
    // a client that never was in must not be seen to leave
    if (place === undefined && !(await this.#register.knows(channel, member))) return
    this.#places.delete(channel, member)
    const outcome = await this.#removals.remove({ channel, member, version })
    if (outcome.status === "refused") throw this.#stamps.superseded(channel, member, outcome.version ?? 0)
  }

  /** The connection has ended: after a grace or a lease, so have the members that it entered last. */
  release({ id, entered, member, isBrief }: Connection, orderly: boolean): void {
    if (entered === undefined) return
    const { presenceGraceMs, presenceLeaseMs } = this.#ports.limits
    const channels = [...entered.keys()]
    for (const channel of channels) {
      const place = this.#places.find(channel, member)
      if (place?.owner === id) place.connection = undefined
    }
    const remove = () => {
      for (const channel of channels) this.remove(channel, member, id)
    }
    const lineMs = orderly ? 0 : presenceGraceMs
    const ms = isBrief ? presenceLeaseMs : lineMs
    if (ms === 0) remove()
    else this.#timers.after(ms, remove)
  }

  /** Removes the member if the connection of this id entered it last. */
  remove(channel: string, member: string, owner: string): void {
    const place = this.#places.find(channel, member)
    if (place?.owner === owner) this.#remove(channel, member, place)
  }

  /** Removes the members of a user, whichever connections they came over. */
  removeUser(channel: string, user: string): void {
    for (const [member, place] of this.#places.of(channel)) {
      if (place.user === user) this.#remove(channel, member, place)
    }
  }

  /** What the log says of the channel may not be what this node has put there. */
  handleStartOver(channel: string): void {
    if (!this.#closed && this.#held.has(channel)) this.#reconciler.add([channel])
  }

  /** The hub is about to close, and its clients have gone to other nodes. Resolves when they have had the time to enter there. */
  async handOver(): Promise<void> {
    const { clock, limits } = this.#ports
    if (this.#places.all().length === 0) return
    await new Promise<void>((resolve) => clock.after(limits.presenceGraceMs, resolve))
  }

  /**
   * The hub closes: everybody leaves, but clients that come with requests, and may do so at other nodes, stay for a lease. Resolves when the
   * log knows.
   */
  async close(): Promise<void> {
    this.#closed = true
    this.#timers.close()
    this.#stopWatching()
    const { pageEntriesMax: max } = this.#ports.limits
    const gone = this.#places.all().filter(({ place }) => !place.isBrief)
    await atOnce(gone, max, async ({ channel, member, place: { version } }) => {
      const outcome = await this.#removals.remove({ channel, member, version }).catch(() => undefined)
      if (outcome !== undefined) this.#places.delete(channel, member)
    })
    const free = this.#held.all().filter((channel) => !this.#places.has(channel))
    await atOnce(free, max, (channel) => this.#held.release(channel).catch(() => undefined))
    await this.#nodes?.close(this.#held.all().length > 0)
  }

  /** Under which name this node holds members. */
  get #holder(): string {
    return this.#nodes?.life ?? lifeOf(this.#ports.node, 1)
  }

  /** Resolves when the channel is listed, and the log has answered whatever was asked of it for this member. */
  async #ready(channel: string, member: string): Promise<void> {
    do {
      await this.#places.find(channel, member)?.pending
      await this.#held.use(channel)
    } while (this.#places.find(channel, member)?.pending !== undefined)
  }

  /** Takes the place, unless the log refuses that. */
  async #put(channel: string, member: string, place: Place): Promise<void> {
    const before = this.#places.find(channel, member)
    this.#places.set(channel, member, place)
    const put = this.#judge(channel, member, place, before)
    const settled = () => {
      place.pending = undefined
    }
    place.pending = put.then(settled, settled)
    await put
  }

  async #judge(channel: string, member: string, place: Place, before: Place | undefined): Promise<void> {
    const holder = this.#holder
    const isCurrent = () => this.#places.find(channel, member) === place
    try {
      const { status, version = 0 } = await this.#register.put(channel, member, place, holder)
      if (status === "refused") {
        if (isCurrent()) this.#places.delete(channel, member)
        throw this.#stamps.superseded(channel, member, version)
      }
      // what was put under the name of a life that is over by now is removed with it
      if (holder !== this.#holder) this.#reconciler.add([channel])
    } catch (error) {
      const { code } = error as HoldfastError
      if (code === "in_doubt") this.#reconciler.add([channel])
      else if (code !== "superseded" && isCurrent()) this.#restore(channel, member, place, before)
      throw error
    }
  }

  /** The member is as it was before, and goes with the connection that spoke last. */
  #restore(channel: string, member: string, place: Place, before: Place | undefined): void {
    if (before === undefined) this.#places.delete(channel, member)
    else {
      const { owner, connection, isBrief } = place
      this.#places.set(channel, member, { ...before, owner, connection, isBrief })
    }
  }

  #remove(channel: string, member: string, { version }: Place): void {
    this.#places.delete(channel, member)
    this.#removals.add({ channel, member, version })
  }

  #reconcileAll(): void {
    if (!this.#closed) this.#reconciler.add(this.#held.all())
  }

  /**
   * Compares the channel with the log. What the log says that this node holds, and does not, is removed; what this node holds, and the log does
   * not say so, is put again, with the next version, so that it is refused if its client has gone or entered elsewhere.
   */
  async #reconcile(channel: string): Promise<void> {
    if (this.#closed) return
    await this.#held.use(channel)
    const held = this.#places.of(channel)
    const found = new Map<string, Entry>()
    for await (const entries of this.#register.pages(channel)) {
      for (const entry of entries) {
        if (!this.#isOwn(entry)) continue
        found.set(entry.key, entry)
        const { key: member, version } = entry
        if (this.#places.find(channel, member) === undefined) this.#removals.add({ channel, member, version })
      }
    }
    const missing = held.filter(([member, place]) => {
      const isUnchanged = this.#places.find(channel, member) === place && place.pending === undefined
      const entry = found.get(member)
      return isUnchanged && !(entry?.holder === this.#holder && entry.version === place.version)
    })
    await atOnce(missing, this.#ports.limits.pageEntriesMax, ([member, place]) =>
      this.#enterAgain(channel, member, place, found.get(member)?.version ?? 0),
    )
  }

  async #enterAgain(channel: string, member: string, place: Place, found: number): Promise<void> {
    try {
      await this.#put(channel, member, { ...place, version: Math.max(place.version, found) + 1 })
    } catch (error) {
      const { code, message, version = 0 } = error as HoldfastError
      if (code !== "superseded") throw error
      place.connection?.send({ type: "removed", channel, code, message, version })
    }
  }

  #isOwn({ holder }: Entry): boolean {
    return nodeOf(holder) === this.#ports.node
  }
}

function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, index) => byte === other[index])
}
