import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Channel } from "../channel/channel.ts"
import type { Channels } from "../channel/channels.ts"
import { Nodes } from "../cluster/nodes.ts"
import type { Connection } from "../connection/connection.ts"
import type { Connections } from "../connection/connections.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../options.ts"
import type { Clock } from "../ports/clock.ts"
import type { Entropy } from "../ports/entropy.ts"
import type { Publisher } from "../publish/publisher.ts"
import type { Target } from "../target.ts"
import { Timers } from "../timers.ts"
import { Adoption } from "./adoption.ts"
import { Departures } from "./departures.ts"
import { HeldChannels } from "./held-channels.ts"
import { decodeMembership, encodeMembership, hasLeft, LEASE_OVER, openedAtOf } from "./membership.ts"
import { Orphans } from "./orphans.ts"
import {
  type Entrance,
  type HeldPlace,
  isNewsOf,
  isOfThePast,
  isPending,
  type Place,
  Presence,
} from "./presence.ts"
import { Recheck } from "./recheck.ts"
import { ASK_MS, Stays } from "./stays.ts"
import { Whereabouts } from "./whereabouts.ts"

/** What presence needs of the hub around it. */
export interface MembersPorts {
  /** This node's name, another one in each of its lives. */
  readonly node: string
  readonly publisher: Publisher
  readonly log: Log
  readonly clock: Clock
  readonly entropy: Entropy
  readonly logger: Logger
  readonly limits: Limits
  readonly channels: Channels
  readonly connections: Connections
  /** Asks the other nodes whether the client of this place comes to one of them now. Undefined: there is no way. */
  readonly ask: ((place: HeldPlace) => void) | undefined
  readonly target: (name: string) => Target
}

/** What only matters where other nodes write to the log too. */
interface Shared {
  readonly nodes: Nodes
  readonly orphans: Orphans
  readonly recheck: Recheck
  readonly whereabouts: Whereabouts
  /** Those that members of this node are in: what others tell of them has to be heard. */
  readonly held: HeldChannels
}

/** Presence at work: tells the log who came and who went, and gives a line that was cut some time to come back. */
export class Members {
  readonly #ports: MembersPorts
  readonly #presence = new Presence((channel) => this.#shared?.held.release(channel))
  readonly #timers: Timers
  readonly #departures: Departures
  readonly #stays: Stays
  readonly #adoption: Adoption
  readonly #shared: Shared | undefined
  /** Rises whenever what the log tells of this node's members is in doubt. */
  #doubts = 0
  #closed = false

  constructor(ports: MembersPorts) {
    this.#ports = ports
    const timers = new Timers(ports.clock)
    const later = (ms: number, task: () => void) => timers.after(ms, task)
    this.#timers = timers
    this.#departures = new Departures({ ...ports, timers })
    const seeOff = (place: HeldPlace) => this.#departures.tell(place, LEASE_OVER)
    this.#stays = new Stays({
      leaseMs: ports.limits.presenceLeaseMs,
      later,
      depart: (channel, member) => this.#lapse(channel, member),
    })
    this.#adoption = new Adoption({ ...ports, later, seeOff })
    if (ports.log.shared !== true) return
    const handleGone = () => this.#handleGone()
    const nodes = new Nodes({ ...ports, handleGone, handleBack: (isAnew) => this.#handleBack(isAnew) })
    const held = new HeldChannels(ports.channels)
    this.#shared = {
      nodes,
      held,
      orphans: new Orphans({ ...ports, nodes, later, digest: ports.entropy.digest }),
      recheck: new Recheck({
        ...ports,
        nodes,
        later,
        presence: this.#presence,
        enterAgain: (channel, member, place) => this.#enterAgain(channel, member, place),
        seeOff,
      }),
      whereabouts: new Whereabouts({
        ...ports,
        presence: this.#presence,
        stays: this.#stays,
        held,
        otherNodes: () => this.otherNodes(),
      }),
    }
    nodes.start()
  }

  /** The nodes that share the log, without this one. */
  otherNodes(): string[] {
    return this.#shared?.nodes.names().filter((name) => name !== this.#ports.node) ?? []
  }

  /** Resolves when it is known which these are. */
  async otherNodesKnown(): Promise<void> {
    await this.#shared?.nodes.known
  }

  /** Whether the member that a `join` entry tells of is one of a node that is gone. */
  isOrphan({ body }: Entry): boolean {
    return this.#shared?.nodes.isGone(decodeMembership(body).node) === true
  }

  /** Takes the member's place for `connection`. @throws HoldfastError `superseded`, and what the log fails with */
  async enter(target: Target, connection: Connection, payload: Uint8Array): Promise<void> {
    const { member, owner, openedAt } = connection
    // it has gone while its handler ran, and gives up what it has no more
    if (connection.state === "closed" && !connection.isBrief) return
    this.#refuseOfThePast(target.name, connection)
    this.#hold(target.name, connection)
    const entrance = { owner, openedAt, payload }
    if (this.#holds(target.name, connection, entrance)) return
    if (connection.isBrief && this.#ports.ask !== undefined) {
      if (await this.#shared?.whereabouts.isElsewhere(target, member, entrance)) return
      this.#refuseOfThePast(target.name, connection)
    }
    await this.#join(target, member, entrance)
  }

  /** Resolves when the log knows. If it does not take it, that is told, and tried again all the same. */
  async leave(target: Target, connection: Connection): Promise<void> {
    const { member, owner, openedAt } = connection
    const why = hasLeft(openedAt)
    connection.entered?.delete(target.name)
    if (connection.isBrief) this.#stays.forget(target.name, member)
    const held = this.#presence.leave(target.name, member, owner, why)
    let place: HeldPlace | undefined
    try {
      place = await this.#placeToLeave(target, connection, held)
    } catch (error) {
      // what was held here has to be seen off, though the log does not say at the moment where the member is
      if (held !== undefined) this.#departures.later(held, why)
      throw error
    }
    if (place !== undefined) await this.#departures.told(place, why)
  }

  /** The connection has gone: after the grace, so have its members that no other connection took over. */
  release(connection: Connection, orderly: boolean): void {
    if (connection.entered === undefined) return
    const { id, entered, member, owner, openedAt } = connection
    if (connection.isBrief) {
      for (const channel of entered) this.#stays.end(channel, member, id)
      return
    }
    const { presenceGraceMs } = this.#ports.limits
    const depart = () => {
      for (const channel of entered)
        this.#depart(channel, member, owner, orderly ? hasLeft(openedAt) : LEASE_OVER)
    }
    if (orderly || presenceGraceMs === 0) {
      depart()
      return
    }
    for (const channel of entered) this.#presence.letGo(channel, member, owner)
    this.#timers.after(presenceGraceMs, depart)
  }

  /** A channel is followed from now on: members of nodes that are gone may be in it. */
  handleOpen(channel: Channel): void {
    if (this.#shared === undefined) this.#adoption.adopt(channel)
    else this.#shared.orphans.opened(channel, channel.tail)
  }

  /** Somebody has told the log who came, or went. */
  handleEntry(channel: Channel, entry: Entry): void {
    if (this.#shared === undefined || this.#closed) return
    if (entry.operation === "put") this.#handleJoin(channel.name, entry, this.#shared)
    else this.#handleLeft(channel.name, entry, this.#shared)
  }

  #handleJoin(channel: string, { key, body, offset }: Entry, shared: Shared): void {
    const { nodes, recheck, whereabouts } = shared
    const told = decodeMembership(body)
    if (told.node === this.#ports.node) return
    whereabouts.handleNews(channel, key)
    this.#ports.connections.openedElsewhere(key, told.openedAt)
    // to see off whoever comes back, before that node's heartbeat is heard again, would be a race without an end
    nodes.handleNews(told.node)
    const place = this.#presence.find(channel, key)
    if (isPending(place)) this.#doubts++
    if (!isNewsOf(place, offset)) return
    if (isOfThePast(told, key, place)) recheck.check(channel)
    else this.#presence.moved(channel, key, told, offset)
  }

  #handleLeft(channel: string, { key, body, offset }: Entry, { recheck, whereabouts }: Shared): void {
    const openedAt = openedAtOf(body)
    whereabouts.handleNews(channel, key)
    if (openedAt === undefined) this.#ports.connections.closedElsewhere(key)
    else this.#ports.connections.openedElsewhere(key, openedAt)
    const place = this.#presence.find(channel, key)
    if (isPending(place)) this.#doubts++
    if (!isNewsOf(place, offset)) return
    // the client may have left over a line of the past, which was on its way for long
    const isOver = openedAt !== undefined && openedAt >= place.openedAt
    if (!isOver && !place.lingering) recheck.check(channel)
    else this.#forget(channel, key)
  }

  /** What the log tells of the channel may not be what this node has told it. */
  handleStartOver(channel: Channel): void {
    if (this.#closed) return
    this.#doubts++
    this.#shared?.recheck.check(channel.name)
    this.#shared?.orphans.lookInTurn(channel)
  }

  /** Another node has not heard of this client for a lease: if it comes here, this node answers for it from now on. */
  handleAsk({ channel, member, joined }: HeldPlace): void {
    if (this.#closed || !this.#stays.has(channel, member)) return
    this.#shared?.whereabouts.handleNews(channel, member)
    const place = this.#presence.find(channel, member)
    if (place?.joined === undefined || place.owner !== member) return
    if (!place.elsewhere && place.joined > joined) return
    this.#enterAgain(channel, member, place).catch(() => this.#shared?.recheck.check(channel))
  }

  /**
   * The hub is about to close, and its clients have gone to other nodes: those that come with one request after the other are
   * answered for there, once this node has asked. Resolves when the others have had the time to.
   */
  async handOver(): Promise<void> {
    const { ask, clock, limits } = this.#ports
    if (ask === undefined || this.#presence.channels().length === 0) return
    const wait = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve))
    await wait(limits.presenceGraceMs)
    for (const place of this.#presence.places()) ask(place)
    await wait(ASK_MS)
  }

  /**
   * The hub closes: everybody leaves, but those who come with requests, and may do so at other nodes. Resolves when the log
   * knows.
   */
  async close(): Promise<void> {
    this.#closed = true
    this.#timers.close()
    const places = [...this.#presence.places()].filter(({ isBrief }) => !isBrief)
    const departed = this.#departures.close(places)
    const closed = this.#shared?.nodes.close()
    await departed
    await closed
  }

  /**
   * The client has entered anew over its next line, or left: what it asked for over the one before, and was on its way for long,
   * must not undo that. A request of its own, over plain HTTP, is no line: it is late only where a line holds the place.
   */
  #refuseOfThePast(channel: string, connection: Connection): void {
    const isLate = !connection.isBrief && this.#ports.connections.isSuperseded(connection)
    if (isLate || this.#isTaken(channel, connection))
      throw new HoldfastError("superseded", errorCodes.superseded)
  }

  /** Whether the member's place is held by a line that its client has opened later. */
  #isTaken(channel: string, connection: Connection): boolean {
    const place = this.#presence.find(channel, connection.member)
    return place !== undefined && isOfThePast(connection, connection.member, place)
  }

  /** Notes that the place goes when the connection does. */
  #hold(channel: string, connection: Connection): void {
    const { id, state, member } = connection
    connection.entered ??= new Set()
    connection.entered.add(channel)
    if (connection.isBrief) this.#stays.renew(channel, member, state === "closed" ? undefined : id)
  }

  /** Whether the member is there already, as it is to be, and is this connection's now. */
  #holds(channel: string, connection: Connection, entrance: Entrance): boolean {
    // in a log that other nodes write to, the member may have come and gone through one of them since
    if (this.#shared !== undefined && !this.#wouldKnow(channel, connection)) return false
    return this.#presence.takeOver(channel, connection.member, entrance)
  }

  /** Whether this node would have been told if the member had gone through another one. */
  #wouldKnow(channel: string, connection: Connection): boolean {
    if (!connection.isBrief) return false
    return this.#ports.ask !== undefined || this.#ports.channels.find(channel) !== undefined
  }

  /** A client has not come for a lease. */
  #lapse(channel: string, member: string): void {
    const place = this.#presence.find(channel, member)
    if (place?.owner !== member) return
    const { ask } = this.#ports
    if (this.#shared === undefined || ask === undefined || place.elsewhere || place.joined === undefined) {
      this.#depart(channel, member, member, LEASE_OVER)
      return
    }
    ask({ channel, member, joined: place.joined })
    // whoever answers for it by then has told the log, so that there is nothing to leave
    this.#timers.after(ASK_MS, () => {
      if (!this.#stays.has(channel, member)) this.#depart(channel, member, member, LEASE_OVER)
    })
  }

  async #join(target: Target, member: string, entrance: Entrance): Promise<void> {
    const { node, publisher } = this.#ports
    const place = this.#presence.enter(target.name, member, entrance)
    const doubts = this.#doubts
    try {
      await this.#shared?.held.hold(target)
      const membership = encodeMembership({ node, ...entrance, isBrief: entrance.owner === member })
      const { offset } = await publisher.join(target, member, membership)
      this.#presence.confirm(place, offset)
      // others may have seen it off before this node was told that it is there
      if (doubts !== this.#doubts) this.#shared?.recheck.check(target.name)
    } catch (error) {
      this.#presence.revert(target.name, member, place)
      // the log may have it all the same, and nobody would answer for it
      if ((error as HoldfastError).code === "in_doubt") this.#shared?.recheck.check(target.name)
      throw error
    } finally {
      // the connection has gone while the log took its time
      const { owner, joined, abandoned } = this.#presence.find(target.name, member) ?? place
      if (joined !== undefined && abandoned !== undefined) {
        this.#depart(target.name, member, owner, abandoned)
      }
    }
  }

  #enterAgain(channel: string, member: string, place: Place): Promise<void> {
    return this.#closed ? Promise.resolve() : this.#join(this.#ports.target(channel), member, place)
  }

  /** The place that a client gives up: the requests of one that has no connection may have been another node's. */
  async #placeToLeave(
    target: Target,
    connection: Connection,
    held: HeldPlace | undefined,
  ): Promise<HeldPlace | undefined> {
    if (this.#shared === undefined || !connection.isBrief) return held
    if (this.#isTaken(target.name, connection)) return undefined
    const { member } = connection
    const entry = await this.#shared.whereabouts.find(target, member)
    return entry && { channel: target.name, member, joined: entry.offset }
  }

  /** The leases of some nodes are over. */
  #handleGone(): void {
    if (this.#shared === undefined || this.#closed) return
    // members whose clients come here too, though the node that is gone has told of them
    for (const channel of this.#presence.channels()) {
      const isTold = this.#presence.members(channel).some(([, { elsewhere }]) => elsewhere)
      if (isTold) this.#shared.recheck.check(channel)
    }
    for (const channel of this.#ports.channels.all()) {
      if (channel.match.definition.presence !== undefined) this.#shared.orphans.lookInTurn(channel)
    }
  }

  /** This node was out of touch, or the log has begun anew: then it may have lost who had left, too. */
  #handleBack(isAnew: boolean): void {
    if (this.#closed || this.#shared === undefined) return
    this.#doubts++
    const { recheck, held } = this.#shared
    for (const channel of this.#presence.channels()) recheck.check(channel)
    if (isAnew) for (const channel of held.former) recheck.check(channel)
  }

  #forget(channel: string, member: string): void {
    this.#presence.forget(channel, member)
    this.#stays.forget(channel, member)
  }

  #depart(channel: string, member: string, owner: string, why: Uint8Array): void {
    if (this.#closed) return
    const place = this.#presence.leave(channel, member, owner, why)
    if (place !== undefined) this.#departures.tell(place, why)
  }
}
