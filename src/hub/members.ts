import type { Clock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import { entries } from "./entries.ts"
import type { Limits } from "./limits.ts"
import type { Entry, Log } from "./log.ts"
import { decodeMembership, encodeMembership } from "./membership.ts"
import type { Logger } from "./options.ts"
import { type HeldPlace, Presence } from "./presence.ts"
import type { Publisher } from "./publisher.ts"
import { Stays } from "./stays.ts"
import type { Target } from "./target.ts"

/** Of how many channels it is remembered that they were looked through for members of a node that is gone. */
const ADOPTED_MAX = 100_000

/** What presence needs of the hub around it. */
export interface MembersPorts {
  /** This node's name, another one in each of its lives. */
  readonly node: string
  readonly publisher: Publisher
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly limits: Limits
  readonly target: (name: string) => Target
}

/** Presence at work: tells the log who came and who went, and gives a line that was cut some time to come back. */
export class Members {
  readonly #ports: MembersPorts
  readonly #presence = new Presence()
  readonly #adopted = new Set<string>()
  readonly #pending = new Set<() => void>()
  readonly #stays: Stays
  #closed = false

  constructor(ports: MembersPorts) {
    this.#ports = ports
    this.#stays = new Stays({
      leaseMs: ports.limits.presenceLeaseMs,
      later: (ms, task) => this.#later(ms, task),
      depart: (channel, member) => this.#depart(channel, member, member),
    })
  }

  /** Takes the member's place for `connection`. `data` is a digest of `payload`. */
  async enter(target: Target, connection: Connection, payload: Uint8Array, data: string): Promise<void> {
    const { node, publisher } = this.#ports
    const { member, owner } = connection
    // it has gone while its handler ran, and gives up what it has no more
    if (connection.state === "closed" && !isBrief(connection)) return
    this.#hold(target.name, connection)
    if (this.#holds(target.name, connection, data)) return
    const place = this.#presence.enter(target.name, member, owner, data)
    try {
      const { offset } = await publisher.join(target, member, encodeMembership(node, payload))
      this.#presence.confirm(place, offset)
    } catch (error) {
      this.#presence.revert(target.name, member, place)
      throw error
    } finally {
      // the connection has gone while the log took its time
      if (place.abandoned) this.#depart(target.name, member, owner)
    }
  }

  /** Resolves when the log knows. If it does not take it, that is told, and tried again all the same. */
  async leave(target: Target, connection: Connection): Promise<void> {
    const { member, owner } = connection
    connection.entered?.delete(target.name)
    if (isBrief(connection)) this.#stays.forget(target.name, member)
    const held = this.#presence.leave(target.name, member, owner)
    const place = await this.#placeToLeave(target, connection, held)
    if (place === undefined) return
    try {
      await this.#ports.publisher.left(target, place.member, place.joined)
    } catch (error) {
      this.#later(this.#ports.limits.retryMs, () => this.#tell(place))
      throw error
    }
  }

  /** The connection has gone: after the grace, so have its members that no other connection took over. */
  release(connection: Connection, orderly: boolean): void {
    if (connection.entered === undefined) return
    const { entered, member, owner } = connection
    if (isBrief(connection)) {
      for (const channel of entered) this.#stays.end(channel, member)
      return
    }
    const { presenceGraceMs } = this.#ports.limits
    const depart = () => {
      for (const channel of entered) this.#depart(channel, member, owner)
    }
    if (orderly || presenceGraceMs === 0) depart()
    else this.#later(presenceGraceMs, depart)
  }

  /**
   * Looks for members that a node left behind which is no more, as after a crash, and sees them off unless they come
   * back in time. A log that other nodes share may hold members of theirs: those are not touched. In one that is this
   * node's alone there will be no others later, so a channel is looked through once.
   */
  adopt(target: Target): void {
    if (this.#ports.log.shared === true || this.#adopted.has(target.name)) return
    if (this.#adopted.size >= ADOPTED_MAX) this.#adopted.clear()
    this.#adopted.add(target.name)
    void this.#seeOffOrphans(target)
  }

  async #seeOffOrphans(target: Target): Promise<void> {
    const { node, limits, logger } = this.#ports
    const isOrphan = ({ kind, body }: Entry) => kind === "join" && decodeMembership(body).node !== node
    try {
      const orphans = await entries(this.#ports, target.name, { after: 0, select: "fold" }, isOrphan)
      if (orphans.length === 0) return
      this.#later(limits.presenceLeaseMs, () => {
        for (const { key, offset } of orphans)
          this.#tell({ channel: target.name, member: key, joined: offset })
      })
    } catch (error) {
      if (this.#closed) return
      logger.error(`the log of ${target.name} could not be read, trying again`, { error })
      this.#later(this.#ports.limits.retryMs, () => void this.#seeOffOrphans(target))
    }
  }

  /** Everybody leaves: the hub closes. Resolves when the log knows. */
  async close(): Promise<void> {
    this.#closed = true
    for (const cancel of this.#pending) cancel()
    this.#pending.clear()
    const { publisher, target, logger } = this.#ports
    const departures = [...this.#presence.places()].map(({ channel, member, joined }) =>
      publisher.left(target(channel), member, joined),
    )
    for (const outcome of await Promise.allSettled(departures)) {
      if (outcome.status === "fulfilled") continue
      logger.error("presence: a departure could not be told", { error: outcome.reason })
    }
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
  #holds(channel: string, connection: Connection, data: string): boolean {
    // in a log that other nodes write to, the member may have come and gone through one of them since
    if (this.#ports.log.shared === true && !isBrief(connection)) return false
    return this.#presence.takeOver(channel, connection.member, connection.owner, data)
  }

  /** The place that a client gives up: the requests of one that has no connection may have been another node's. */
  async #placeToLeave(
    target: Target,
    connection: Connection,
    held: HeldPlace | undefined,
  ): Promise<HeldPlace | undefined> {
    if (this.#ports.log.shared !== true || !isBrief(connection)) return held
    const { member } = connection
    const joined = await this.#ports.publisher.latestOf(target, member)
    return joined === 0 ? undefined : { channel: target.name, member, joined }
  }

  #depart(channel: string, member: string, owner: string): void {
    if (this.#closed) return
    const place = this.#presence.leave(channel, member, owner)
    if (place !== undefined) this.#tell(place)
  }

  #tell(place: HeldPlace): void {
    const { channel, member, joined } = place
    const { publisher, target, logger } = this.#ports
    publisher.left(target(channel), member, joined).catch((error: unknown) => {
      if (this.#closed) return
      logger.error("presence: a departure could not be told, trying again", { channel, error })
      this.#later(this.#ports.limits.retryMs, () => this.#tell(place))
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

function isBrief({ outlet }: Connection): boolean {
  return outlet.link.brief === true
}
