import type { Clock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import { entries } from "./entries.ts"
import type { Limits } from "./limits.ts"
import type { Entry, Log } from "./log.ts"
import { decodeMembership, encodeMembership } from "./membership.ts"
import type { Logger } from "./options.ts"
import { type HeldPlace, Presence } from "./presence.ts"
import type { Publisher } from "./publisher.ts"
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
  #closed = false

  constructor(ports: MembersPorts) {
    this.#ports = ports
  }

  /** Takes the member's place for `connection`. `data` is a digest of `payload`. */
  async enter(target: Target, connection: Connection, payload: Uint8Array, data: string): Promise<void> {
    // it has gone while its handler ran, and gives up what it has no more
    if (connection.state === "closed") return
    const { node, publisher, log } = this.#ports
    const { id, member } = connection
    connection.entered ??= new Set()
    connection.entered.add(target.name)
    // in a log that other nodes write to, the member may have come and gone through one of them since
    if (log.shared !== true && this.#presence.takeOver(target.name, member, id, data)) return
    const place = this.#presence.enter(target.name, member, id, data)
    try {
      const { offset } = await publisher.join(target, member, encodeMembership(node, payload))
      this.#presence.confirm(place, offset)
    } catch (error) {
      this.#presence.revert(target.name, member, place)
      throw error
    } finally {
      // the connection has gone while the log took its time
      if (place.abandoned) this.#depart(target.name, member, id)
    }
  }

  /** Resolves when the log knows. If it does not take it, that is told, and tried again all the same. */
  async leave(target: Target, connection: Connection): Promise<void> {
    connection.entered?.delete(target.name)
    const place = this.#presence.leave(target.name, connection.member, connection.id)
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
    const { entered, member, id } = connection
    const { presenceGraceMs } = this.#ports.limits
    const depart = () => {
      for (const channel of entered) this.#depart(channel, member, id)
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

  #later(ms: number, task: () => void): void {
    if (this.#closed) return
    const cancel = this.#ports.clock.after(ms, () => {
      this.#pending.delete(cancel)
      task()
    })
    this.#pending.add(cancel)
  }
}
