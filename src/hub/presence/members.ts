import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import type { Outcome, Retention } from "../../log/operation.ts"
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
import { HeldList } from "./held-list.ts"
import { type Place, Places } from "./places.ts"
import { reap } from "./reap.ts"
import { Reconciler } from "./reconciler.ts"
import { Register } from "./register.ts"
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
 * client stamps whatever it asks for; the node removes a member with the version that it has put. So whatever comes late, over whichever
 * connection and node, is refused, and no node has to know what happens at another. What the log fails at is made good by `#reconcile`.
 */
export class Members {
  readonly #ports: MembersPorts
  readonly #places = new Places()
  readonly #timers: Timers
  readonly #stamps: Stamps
  readonly #register: Register
  readonly #held: HeldChannels
  readonly #reconciler: Reconciler
  /** Undefined where the log ends with this process. */
  readonly #nodes: Nodes | undefined
  readonly #stopWatching: () => void
  #closed = false

  constructor(ports: MembersPorts) {
    this.#ports = ports
    const { log, clock, entropy, limits } = ports
    const timers = new Timers(clock)
    const register = new Register(ports)
    const list = new HeldList({ ...ports, digest: entropy.digest })
    this.#timers = timers
    this.#register = register
    this.#stamps = new Stamps(clock, register)
    this.#reconciler = new Reconciler({ ...ports, timers, reconcile: (channel) => this.#reconcile(channel) })
    if (log.shared || log.durable) {
      const handleStartOver = () => this.#reconcileAll()
      this.#nodes = new Nodes({
        ...ports,
        handleStartOver,
        reap: (life) => reap(register, list, limits, life),
      })
    }
    this.#held = new HeldChannels(list, this.#nodes, timers)
    this.#nodes?.start()
    const stop = log.watchAvailability?.((failure) => failure === undefined && this.#reconcileAll())
    this.#stopWatching = stop ?? (() => {})
  }

  /** The nodes that share the log, without this one. @throws what the log fails with */
  async otherNodes(): Promise<string[]> {
    return this.#nodes?.others() ?? []
  }

  /**
   * Whether the connection may ask for something in the channel, with this version.
   * @throws HoldfastError `version_ahead`; `revoked`, which is final for the connection; what the log fails with
   */
  async check(channel: string, connection: Connection, version: number): Promise<void> {
    refuseRevoked(channel, connection)
    await this.#stamps.check(channel, connection.member, version)
  }

  /**
   * Resolves when the log has the member. If the log fails at it, that is made good later.
   * @param data MessagePack
   * @throws HoldfastError `superseded`, `revoked`, and what the log fails with
   */
  async enter(channel: string, connection: Connection, data: Uint8Array, version: number): Promise<void> {
    const { member, userId: user, id: owner, isBrief } = connection
    const isOpen = connection.state !== "closed"
    // a request may be over before its handler is: its member stays for a lease
    if (!isOpen && !isBrief) return
    // while its handler was asked
    refuseRevoked(channel, connection)
    const before = this.#places.find(channel, member)
    if (before !== undefined && version <= before.version)
      throw this.#stamps.superseded(channel, member, before.version + 1)
    const body = encodeMember({ user, data })
    const place = { version, body, user, owner, isBrief, connection: isOpen ? connection : undefined }
    try {
      await this.#put(channel, member, place)
    } finally {
      if (!isOpen) this.release(connection, true)
    }
  }

  /** The version with which this connection has entered; undefined when it has not, or not last. */
  versionOf(channel: string, { member, id }: Connection): number | undefined {
    const place = this.#places.find(channel, member)
    return place?.owner === id ? place.version : undefined
  }

  /** Resolves when the log knows. @throws HoldfastError `version_ahead`, `superseded`, and what the log fails with */
  async leave(channel: string, { member }: Connection, version: number): Promise<void> {
    await this.#stamps.check(channel, member, version)
    const place = this.#places.find(channel, member)
    if (place !== undefined && version < place.version)
      throw this.#stamps.superseded(channel, member, place.version + 1)
    // a client that never was in must not be seen to leave
    if (place === undefined && (await this.#register.versionOf(channel, member)) === undefined) return
    const { status, version: lowest = 0 } = await this.#removeAt(channel, member, version)
    if (status === "refused") throw this.#stamps.superseded(channel, member, lowest)
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
    await atOnce(gone, max, async ({ channel, member, place }) => {
      const removed = await this.#register.remove(channel, member, place.version).catch(() => undefined)
      if (removed !== undefined) this.#places.delete(channel, member)
    })
    const free = this.#held.all().filter((channel) => !this.#places.has(channel))
    await atOnce(free, max, (channel) => this.#held.release(channel).catch(() => undefined))
    await this.#nodes?.close(this.#held.all().length > 0)
  }

  /** Under which name this node holds members. */
  get #holder(): string {
    return this.#nodes?.life ?? lifeOf(this.#ports.node, 1)
  }

  /** Takes the place, unless the log refuses it. */
  async #put(channel: string, member: string, place: Place): Promise<void> {
    const before = this.#places.find(channel, member)
    this.#places.set(channel, member, place)
    try {
      await this.#held.use(channel)
      const holder = this.#holder
      const { status, version = 0 } = await this.#register.put(channel, member, place, holder)
      // what was put under the name of a life that is over by now is removed with it
      if (holder !== this.#holder) this.#reconciler.add([channel])
      if (status === "refused") throw this.#stamps.superseded(channel, member, version)
    } catch (error) {
      const { code } = error as HoldfastError
      if (isPassing(error)) this.#retry(channel, error)
      else if (this.#places.find(channel, member) === place)
        this.#restore(channel, member, place, code === "superseded" ? undefined : before)
      throw error
    }
  }

  /** The member is as it was before, and goes with the connection that spoke last. */
  #restore(channel: string, member: string, { owner, connection, isBrief }: Place, before?: Place): void {
    if (before === undefined) this.#delete(channel, member)
    else this.#places.set(channel, member, Object.assign(before, { owner, connection, isBrief }))
  }

  #remove(channel: string, member: string, { version }: Place): void {
    this.#removeAt(channel, member, version).catch(() => {
      // tried again
    })
  }

  async #removeAt(channel: string, member: string, version: number): Promise<Outcome> {
    this.#delete(channel, member)
    try {
      return await this.#register.remove(channel, member, version)
    } catch (error) {
      this.#retry(channel, error)
      throw error
    }
  }

  #delete(channel: string, member: string): void {
    this.#places.delete(channel, member)
    if (!this.#places.has(channel)) this.#held.releaseLater(channel)
  }

  #retry(channel: string, error: unknown): void {
    if (!this.#closed) this.#reconciler.retry(channel, error)
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
    const { node, limits } = this.#ports
    await this.#held.use(channel, true)
    const held = this.#places.of(channel)
    const entries = await this.#register.heldBy(channel, (holder) => nodeOf(holder) === node)
    const found = new Map(entries.map((entry) => [entry.key, entry]))
    const isUnknown = ({ key }: Entry) => this.#places.find(channel, key) === undefined
    await atOnce(entries.filter(isUnknown), limits.pageEntriesMax, ({ key, version }) =>
      this.#register.remove(channel, key, version),
    )
    const missing = held.filter(([member, place]) => {
      const entry = found.get(member)
      const isAsPut = entry?.holder === this.#holder && entry.version === place.version
      // a connection that was cut may never come back
      const isWanted = place.connection !== undefined || place.isBrief
      return isWanted && this.#places.find(channel, member) === place && !isAsPut
    })
    await atOnce(missing, limits.pageEntriesMax, ([member, place]) =>
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
}

function refuseRevoked(channel: string, { revoked }: Connection): void {
  if (revoked?.has(channel)) throw new HoldfastError("revoked", errorCodes.revoked)
}

/** Whether the log may take the same another time, or has taken it. */
export function isPassing(error: unknown): boolean {
  const { code } = error as HoldfastError
  return code === "log_unavailable" || code === "in_doubt"
}
