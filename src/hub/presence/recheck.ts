import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import { entries } from "../channel/entries.ts"
import { PRESENCE } from "../channel/facets.ts"
import type { Nodes } from "../cluster/nodes.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../options.ts"
import { decodeMembership } from "./membership.ts"
import { equal, type HeldPlace, isOfThePast, type Place, type Presence } from "./presence.ts"

export interface RecheckPorts {
  readonly node: string
  readonly nodes: Nodes
  readonly log: Log
  readonly limits: Limits
  readonly logger: Logger
  readonly presence: Presence
  /** Tells the log of the member once more. */
  readonly enterAgain: (channel: string, member: string, place: Place) => Promise<void>
  /** Tells the log that the member has gone. */
  readonly seeOff: (place: HeldPlace) => void
  readonly later: (ms: number, task: () => void) => void
}

/**
 * Compares what this node holds of a channel with what the log tells, after something may have been missed: who was seen
 * off by others though they are here enter again, who has gone to another node is that one's, and whom this node is said to
 * answer for though they are not here are seen off.
 */
export class Recheck {
  readonly #ports: RecheckPorts
  /** Channels that are being compared; true: they have to be once more. */
  readonly #checking = new Map<string, boolean>()

  constructor(ports: RecheckPorts) {
    this.#ports = ports
  }

  check(channel: string): void {
    const isChecking = this.#checking.has(channel)
    this.#checking.set(channel, isChecking)
    if (isChecking) return
    this.#compare(channel).then(
      () => this.#end(channel),
      (error: unknown) => {
        const { logger, limits, later } = this.#ports
        logger.error(`the presence of ${channel} could not be compared, trying again`, { error })
        this.#checking.set(channel, true)
        later(limits.retryMs, () => this.#end(channel))
      },
    )
  }

  #end(channel: string): void {
    const again = this.#checking.get(channel) === true
    this.#checking.delete(channel)
    if (again) this.check(channel)
  }

  async #compare(channel: string): Promise<void> {
    const { node, presence, limits, enterAgain, seeOff } = this.#ports
    const held = presence.members(channel).filter(([, { joined }]) => joined !== undefined)
    const own = new Map(held)
    const isOwn = ({ key, body }: Entry) => own.has(key) || decodeMembership(body).node === node
    const found = await entries(
      this.#ports,
      channel,
      { after: 0, select: "fold", collections: [PRESENCE] },
      isOwn,
    )
    const told = new Map(found.map((entry) => [entry.key, entry]))
    for (const { key, offset } of found) {
      if (presence.find(channel, key) === undefined) seeOff({ channel, member: key, joined: offset })
    }
    const missing = held.filter(([member, place]) => {
      // it may have come, gone or moved meanwhile
      const isUnchanged = presence.find(channel, member)?.joined === place.joined
      return isUnchanged && this.#isMissing(channel, member, told.get(member))
    })
    for (let from = 0; from < missing.length; from += limits.pageEntriesMax) {
      const some = missing.slice(from, from + limits.pageEntriesMax)
      await Promise.all(some.map(([member, place]) => enterAgain(channel, member, place)))
    }
  }

  #isMissing(channel: string, member: string, entry: Entry | undefined): boolean {
    const { node, nodes, presence } = this.#ports
    const place = presence.find(channel, member)
    if (place === undefined) return false
    if (entry !== undefined) {
      const membership = decodeMembership(entry.body)
      if (membership.node === node) {
        presence.confirm(place, entry.offset)
        // what the log has may have been in doubt, and refused: then the place is as it was before
        return place.elsewhere || !equal(membership.payload, place.payload)
      }
      nodes.note(membership.node)
      if (!nodes.isGone(membership.node) && !isOfThePast(membership, member, place)) {
        presence.moved(channel, member, membership, entry.offset)
        return false
      }
    }
    if (!place.lingering) return true
    presence.forget(channel, member)
    return false
  }
}
