import type { Log } from "../../log/log.ts"
import type { Outcome, Retention } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import { encodeMember } from "../channel/member-entry.ts"
import { lifeOf } from "../cluster/node-keys.ts"
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
 * The members of clients that are connected to this node. A member is a last-writer-wins register in the channel's log (`register.ts`). Its
 * client stamps each message with a version; the node removes a member with the version that it has put. So a late message is refused,
 * over any connection and at any node, and no node has to know what happens at another. The reconciler makes good what the log fails at.
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

  constructor(ports: MembersPorts) {
    this.#ports = ports
    const { log, clock, entropy, limits } = ports
    const timers = new Timers(clock)
    const register = new Register(ports)
    const list = new HeldList({ ...ports, digest: entropy.digest })
    this.#timers = timers
    this.#register = register
    this.#stamps = new Stamps(clock, register)
    if (log.shared || log.durable) {
      const handleStartOver = () => this.#reconcileAll()
      this.#nodes = new Nodes({
        ...ports,
        handleStartOver,
        reap: (life) => reap(register, list, limits, life),
      })
    }
    const held = new HeldChannels(list, this.#nodes, timers)
    this.#held = held
    this.#reconciler = new Reconciler({
      ...{ ...ports, timers, register, held, places: this.#places },
      holder: () => this.#holder,
      put: (channel, member, place) => this.#put(channel, member, place),
    })
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
    // a request may end before its handler does: its member stays for a lease
    if (!isOpen && !isBrief) return
    // it may have been revoked while the handler ran
    refuseRevoked(channel, connection)
    const before = this.#places.find(channel, member)
    if (before !== undefined && version <= before.asked)
      throw this.#stamps.superseded(channel, member, before.version + 1)
    const body = encodeMember({ user, data })
    const place = {
      asked: version,
      version: Math.max(version, (before?.version ?? 0) + 1),
      body,
      user,
      owner,
      isBrief,
      connection: isOpen ? connection : undefined,
    }
    try {
      await this.#put(channel, member, place)
    } finally {
      if (!isOpen) this.release(connection, true)
    }
  }

  /** The same client has other data, as the server says. Does nothing if the data is the same, or if it has entered over another connection. */
  async update(channel: string, { member, id, userId: user }: Connection, data: Uint8Array): Promise<void> {
    const place = this.#places.find(channel, member)
    const body = encodeMember({ user, data })
    if (place?.owner !== id || isEqual(place.body, body)) return
    await this.#put(channel, member, { ...place, version: place.version + 1, body })
  }

  /** The version that this connection has entered with; undefined when another one has since, or none has. */
  versionOf(channel: string, { member, id }: Connection): number | undefined {
    const place = this.#places.find(channel, member)
    return place?.owner === id ? place.asked : undefined
  }

  /** Resolves when the log knows. @throws HoldfastError `version_ahead`, `superseded`, and what the log fails with */
  async leave(channel: string, { member }: Connection, version: number): Promise<void> {
    await this.#stamps.check(channel, member, version)
    const place = this.#places.find(channel, member)
    if (place !== undefined && version < place.asked)
      throw this.#stamps.superseded(channel, member, place.version + 1)
    // an entry about a client that never was in would be an entry without permission
    if (place === undefined && (await this.#register.versionOf(channel, member)) === undefined) return
    const { status, version: lowest = 0 } = await this.#removeAt(
      channel,
      member,
      Math.max(version, place?.version ?? 0),
    )
    if (status === "refused") throw this.#stamps.superseded(channel, member, lowest)
  }

  /** The connection has ended: its members leave after a grace or a lease, unless another one enters them by then. */
  release({ id, entered, member, isBrief, leaves }: Connection, orderly: boolean): void {
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
    const ms = isBrief && !leaves ? presenceLeaseMs : lineMs
    if (ms === 0) remove()
    else this.#timers.after(ms, remove)
  }

  /** Removes the member, unless another connection than the one of this id has entered it since. */
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

  /** Removes the members of a user, in all channels, whose client is between two requests. */
  removeAbsent(user: string): void {
    for (const { channel, member, place } of this.#places.all()) {
      if (place.user === user && place.connection === undefined) this.#remove(channel, member, place)
    }
  }

  /** What the log says of the channel may not be what this node has put there. */
  handleStartOver(channel: string): void {
    if (this.#held.has(channel)) this.#reconciler.add([channel])
  }

  /** The hub is about to close, and its clients have gone to other nodes. Resolves when they have had the time to enter there. */
  async handOver(): Promise<void> {
    const { clock, limits } = this.#ports
    if (this.#places.all().length === 0) return
    await new Promise<void>((resolve) => clock.after(limits.presenceGraceMs, resolve))
  }

  /**
   * The hub closes: members leave, but those of plain HTTP requests stay for a lease, as the next request may go to another node. Resolves when
   * the log has answered.
   */
  async close(): Promise<void> {
    this.#reconciler.close()
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

  /** The name under which this node holds members. */
  get #holder(): string {
    return this.#nodes?.life ?? lifeOf(this.#ports.node, 1)
  }

  /** Takes the place, unless the log refuses it. */
  async #put(channel: string, member: string, place: Place): Promise<void> {
    const before = this.#places.find(channel, member)
    this.#places.set(channel, member, place)
    try {
      await this.#held.use(channel)
      const { status, version = 0 } = await this.#register.put(channel, member, place, this.#holder)
      if (status === "refused") throw this.#stamps.superseded(channel, member, version)
    } catch (error) {
      const { code } = error as HoldfastError
      if (isPassing(error)) this.#reconciler.retry(channel, error)
      else if (this.#places.find(channel, member) === place)
        this.#restore(channel, member, place, code === "superseded" ? undefined : before)
      throw error
    }
  }

  /** The member is as it was before, and leaves with the connection that asked last. */
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
      this.#reconciler.retry(channel, error)
      throw error
    }
  }

  #delete(channel: string, member: string): void {
    this.#places.delete(channel, member)
    if (!this.#places.has(channel)) this.#held.releaseLater(channel)
  }

  #reconcileAll(): void {
    this.#reconciler.add(this.#held.all())
  }
}

function refuseRevoked(channel: string, { revoked }: Connection): void {
  if (revoked?.has(channel)) throw new HoldfastError("revoked", errorCodes.revoked)
}

function isEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, index) => byte === other[index])
}

/** Whether the log may take the same another time, or has taken it. */
export function isPassing(error: unknown): boolean {
  const { code } = error as HoldfastError
  return code === "log_unavailable" || code === "in_doubt"
}
