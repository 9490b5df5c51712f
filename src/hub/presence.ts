/** Who holds a member's place in a channel. */
export interface Place {
  /** The connection that entered last. */
  owner: string
  /** A digest of the data it entered with. */
  data: string
}

/**
 * Which connection owns which member of which channel: the data structure of presence, without time or I/O. A member is
 * the same over reconnects, so its place passes to the connection that enters last, and a connection that goes gives up
 * only the places it still owns.
 */
export class Presence {
  readonly #channels = new Map<string, Map<string, Place>>()

  /** Takes the place. Returns whether others have to be told: a new member, or new data. */
  enter(channel: string, member: string, owner: string, data: string): boolean {
    let members = this.#channels.get(channel)
    if (members === undefined) {
      members = new Map()
      this.#channels.set(channel, members)
    }
    const place = members.get(member)
    members.set(member, { owner, data })
    return place?.data !== data
  }

  has(channel: string, member: string): boolean {
    return this.#channels.get(channel)?.has(member) === true
  }

  owns(channel: string, member: string, owner: string): boolean {
    return this.#channels.get(channel)?.get(member)?.owner === owner
  }

  /** Gives the place up. Returns false when `owner` does not hold it any more. */
  leave(channel: string, member: string, owner: string): boolean {
    if (!this.owns(channel, member, owner)) return false
    const members = this.#channels.get(channel) as Map<string, Place>
    members.delete(member)
    if (members.size === 0) this.#channels.delete(channel)
    return true
  }

  /** Every place that is held. */
  *places(): Generator<{ readonly channel: string; readonly member: string; readonly owner: string }> {
    for (const [channel, members] of this.#channels) {
      for (const [member, { owner }] of members) yield { channel, member, owner }
    }
  }
}
