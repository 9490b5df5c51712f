import { Adoption } from "./adoption.ts"
import type { Channel } from "./channel.ts"
import type { Channels } from "./channels.ts"
import type { Clock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import type { Entropy } from "./entropy.ts"
import type { Limits } from "./limits.ts"
import type { Entry, Log } from "./log.ts"
import { decodeMembership, encodeMembership, hasLeft, LEASE_OVER, openedAtOf } from "./membership.ts"
import { Nodes } from "./nodes.ts"
import type { Logger } from "./options.ts"
import { Orphans } from "./orphans.ts"
import { type Entrance, equal, type HeldPlace, type Place, Presence } from "./presence.ts"
import type { Publisher } from "./publisher.ts"
import { Recheck } from "./recheck.ts"
import { Stays } from "./stays.ts"
import type { Target } from "./target.ts"

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
  /** Asks the other nodes whether the client of this place comes to one of them now. Undefined: there is no way. */
  readonly ask: ((place: HeldPlace) => void) | undefined
  readonly target: (name: string) => Target
}

/** How long the other nodes have to say that a client comes to them now, in ms. */
const ASK_MS = 500

/** What only matters where other nodes write to the log too. */
interface Shared {
  readonly nodes: Nodes
  readonly orphans: Orphans
  readonly recheck: Recheck
}

/** Presence at work: tells the log who came and who went, and gives a line that was cut some time to come back. */
export class Members {
  readonly #ports: MembersPorts
  readonly #presence = new Presence()
  readonly #pending = new Set<() => void>()
  readonly #stays: Stays
  /** Members that are being looked up in the log; true: another node has asked for them meanwhile. */
  readonly #lookups = new Map<string, boolean>()
  readonly #adoption: Adoption
  readonly #shared: Shared | undefined
  /** Rises whenever what the log tells of this node's members is in doubt. */
  #doubts = 0
  #closed = false

  constructor(ports: MembersPorts) {
    this.#ports = ports
    const later = (ms: number, task: () => void) => this.#later(ms, task)
    this.#stays = new Stays({
      leaseMs: ports.limits.presenceLeaseMs,
      later,
      depart: (channel, member) => this.#lapse(channel, member),
    })
    this.#adoption = new Adoption({ ...ports, later, seeOff: (place) => this.#tell(place, LEASE_OVER) })
    if (ports.log.shared !== true) return
    const handleGone = () => this.#handleGone()
    const nodes = new Nodes({ ...ports, handleGone, handleBack: () => this.#handleBack() })
    this.#shared = {
      nodes,
      orphans: new Orphans({ ...ports, nodes, later, digest: ports.entropy.digest }),
      recheck: new Recheck({
        ...ports,
        nodes,
        later,
        presence: this.#presence,
        enterAgain: (channel, member, place) => this.#enterAgain(channel, member, place),
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

  /** Takes the member's place for `connection`. */
  async enter(target: Target, connection: Connection, payload: Uint8Array): Promise<void> {
    const { member, owner, openedAt } = connection
    // it has gone while its handler ran, and gives up what it has no more
    if (connection.state === "closed" && !isBrief(connection)) return
    this.#hold(target.name, connection)
    const entrance = { owner, openedAt, payload }
    if (this.#holds(target.name, connection, entrance)) return
    if (isBrief(connection) && (await this.#isElsewhere(target, member, entrance))) return
    await this.#join(target, member, entrance)
  }

  /** Resolves when the log knows. If it does not take it, that is told, and tried again all the same. */
  async leave(target: Target, connection: Connection): Promise<void> {
    const { member, owner, openedAt } = connection
    const why = hasLeft(openedAt)
    connection.entered?.delete(target.name)
    if (isBrief(connection)) this.#stays.forget(target.name, member)
    const held = this.#presence.leave(target.name, member, owner, why)
    const place = await this.#placeToLeave(target, connection, held)
    if (place === undefined) return
    try {
      await this.#ports.publisher.left(target, place.member, place.joined, why)
    } catch (error) {
      this.#later(this.#ports.limits.retryMs, () => this.#tell(place, why))
      throw error
    }
  }

  /** The connection has gone: after the grace, so have its members that no other connection took over. */
  release(connection: Connection, orderly: boolean): void {
    if (connection.entered === undefined) return
    const { entered, member, owner, openedAt } = connection
    if (isBrief(connection)) {
      for (const channel of entered) this.#stays.end(channel, member)
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
    this.#later(presenceGraceMs, depart)
  }

  /** A channel is followed from now on: members of nodes that are gone may be in it. */
  handleOpen(channel: Channel): void {
    if (this.#shared === undefined) this.#adoption.adopt(channel)
    else this.#shared.orphans.opened(channel, channel.tail)
  }

  /** Somebody has told the log who came, or went. */
  handleEntry(channel: Channel, entry: Entry): void {
    if (this.#shared === undefined || this.#closed) return
    const place = this.#presence.find(channel.name, entry.key)
    const isNews = place?.joined !== undefined && place.joined < entry.offset
    if (entry.kind === "join") {
      const { node, payload } = decodeMembership(entry.body)
      if (node === this.#ports.node) return
      // to see off whoever comes back, before that node's heartbeat is heard again, would be a race without an end
      this.#shared.nodes.handleNews(node)
      if (isNews) this.#presence.moved(channel.name, entry.key, payload, entry.offset)
    } else if (place !== undefined && place.joined === undefined) {
      this.#doubts++
    } else if (isNews) {
      // the client may have left over a line of the past, which was on its way for long
      const isOver = (openedAtOf(entry.body) ?? Number.NEGATIVE_INFINITY) >= place.openedAt
      if (!isOver && !place.lingering) this.#shared.recheck.check(channel.name)
      else this.#forget(channel.name, entry.key)
    }
  }

  /** What the log tells of the channel may not be what this node has told it. */
  handleStartOver({ name }: Channel): void {
    if (this.#closed) return
    this.#doubts++
    this.#shared?.recheck.check(name)
  }

  /** Another node has not heard of this client for a lease: if it comes here, this node answers for it from now on. */
  handleAsk({ channel, member, joined }: HeldPlace): void {
    if (this.#closed || !this.#stays.has(channel, member)) return
    if (this.#lookups.has(lookupOf(channel, member))) this.#lookups.set(lookupOf(channel, member), true)
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

  /** Everybody leaves: the hub closes. Resolves when the log knows. */
  async close(): Promise<void> {
    this.#closed = true
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
    const { publisher, target, logger } = this.#ports
    const departures = [...this.#presence.places()].map(({ channel, member, joined, openedAt }) =>
      publisher.left(target(channel), member, joined, hasLeft(openedAt)),
    )
    // side by side, so that a log which is partly away is waited for once
    const closed = this.#shared?.nodes.close()
    for (const outcome of await Promise.allSettled(departures)) {
      if (outcome.status === "fulfilled") continue
      logger.error("presence: a departure could not be told", { error: outcome.reason })
    }
    await closed
  }

  /** Notes that the place goes when the connection does. */
  #hold(channel: string, connection: Connection): void {
    const isOpen = connection.state !== "closed"
    connection.entered ??= new Set()
    const isNew = !connection.entered.has(channel)
    connection.entered.add(channel)
    if (isBrief(connection)) this.#stays.renew(channel, connection.member, isOpen && isNew)
  }

  /** Whether the member is there already, as it is to be, and is this connection's now. */
  #holds(channel: string, connection: Connection, entrance: Entrance): boolean {
    // in a log that other nodes write to, the member may have come and gone through one of them since
    if (this.#shared !== undefined && !this.#wouldKnow(channel, connection)) return false
    return this.#presence.takeOver(channel, connection.member, entrance)
  }

  /** Whether this node would have been told if the member had gone through another one. */
  #wouldKnow(channel: string, connection: Connection): boolean {
    if (!isBrief(connection)) return false
    return this.#ports.ask !== undefined || this.#ports.channels.find(channel) !== undefined
  }

  /**
   * Whether another node, to which the client came before, has told of the member as it is to be. Then there is nothing to
   * tell: with each entry of that kind, all polls in the channel would end, and their clients come to another node again.
   */
  async #isElsewhere(target: Target, member: string, { payload, openedAt }: Entrance): Promise<boolean> {
    if (this.#shared === undefined || this.#ports.ask === undefined) return false
    if (this.#presence.find(target.name, member) !== undefined) return false
    const lookup = lookupOf(target.name, member)
    this.#lookups.set(lookup, false)
    try {
      const found = await this.#lookUp(target, member)
      const wasAsked = this.#lookups.get(lookup) === true
      if (found === undefined || wasAsked || !equal(found.payload, payload)) return false
      if (this.#presence.find(target.name, member) !== undefined) return false
      this.#presence.know(target.name, member, found.payload, found.offset, openedAt)
      return true
    } finally {
      this.#lookups.delete(lookup)
    }
  }

  /** What the log tells of a member, if a node that is there has told it. */
  async #lookUp(
    target: Target,
    member: string,
  ): Promise<{ readonly payload: Uint8Array; readonly offset: number } | undefined> {
    const offset = await this.#ports.publisher.latestOf(target, member)
    if (offset === 0) return undefined
    const range = { after: offset - 1, through: offset, select: "fold", entriesMax: 1, bytesMax: 1 } as const
    const [entry] = (await this.#ports.log.read(target.name, range)).entries
    if (entry?.key !== member) return undefined
    const { node, payload } = decodeMembership(entry.body)
    return this.otherNodes().includes(node) ? { payload, offset } : undefined
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
    this.#later(ASK_MS, () => {
      if (!this.#stays.has(channel, member)) this.#depart(channel, member, member, LEASE_OVER)
    })
  }

  async #join(target: Target, member: string, entrance: Entrance): Promise<void> {
    const { node, publisher } = this.#ports
    const place = this.#presence.enter(target.name, member, entrance)
    const doubts = this.#doubts
    try {
      const { offset } = await publisher.join(target, member, encodeMembership(node, place.payload))
      this.#presence.confirm(place, offset)
      // others may have seen it off before this node was told that it is there
      if (doubts !== this.#doubts) this.#shared?.recheck.check(target.name)
    } catch (error) {
      this.#presence.revert(target.name, member, place)
      throw error
    } finally {
      // the connection has gone while the log took its time
      if (place.abandoned !== undefined) this.#depart(target.name, member, place.owner, place.abandoned)
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
    if (this.#shared === undefined || !isBrief(connection)) return held
    const { member } = connection
    const joined = await this.#ports.publisher.latestOf(target, member)
    return joined === 0 ? undefined : { channel: target.name, member, joined }
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

  /** This node was out of touch, or the log has begun anew. */
  #handleBack(): void {
    if (this.#closed) return
    this.#doubts++
    for (const channel of this.#presence.channels()) this.#shared?.recheck.check(channel)
  }

  #forget(channel: string, member: string): void {
    this.#presence.forget(channel, member)
    this.#stays.forget(channel, member)
  }

  #depart(channel: string, member: string, owner: string, why: Uint8Array): void {
    if (this.#closed) return
    const place = this.#presence.leave(channel, member, owner, why)
    if (place !== undefined) this.#tell(place, why)
  }

  #tell(place: HeldPlace, why: Uint8Array): void {
    const { channel, member, joined } = place
    const { publisher, target, logger } = this.#ports
    publisher.left(target(channel), member, joined, why).catch((error: unknown) => {
      if (this.#closed) return
      logger.error("presence: a departure could not be told, trying again", { channel, error })
      this.#later(this.#ports.limits.retryMs, () => this.#tell(place, why))
    })
  }

  #later(ms: number, task: () => void): () => void {
    if (this.#closed) return () => {}
    const stop = this.#ports.clock.after(ms, () => {
      this.#pending.delete(cancel)
      task()
    })
    const cancel = () => {
      this.#pending.delete(cancel)
      stop()
    }
    this.#pending.add(cancel)
    return cancel
  }
}

function lookupOf(channel: string, member: string): string {
  return `${member}\n${channel}`
}

function isBrief({ outlet }: Connection): boolean {
  return outlet.link.brief === true
}
