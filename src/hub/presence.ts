/** A member's place in a channel, as this node holds it. */
export interface Place {
  /** The connection that entered last. */
  readonly owner: string
  /** A digest of the data it entered with. */
  readonly data: string
  /** The offset of the entry that told of it; undefined until the log has it. */
  joined: number | undefined
}

/** A place that is held, and whose it is. */
export interface HeldPlace {
  readonly channel: string
  readonly member: string
  readonly joined: number
}

/**
 * Which connection owns which member of which channel: the data structure of presence, without time or I/O. A member is
 * the same over reconnects, so its place passes to the connection that enters last, and a connection that goes gives up
 * only the places it still owns.
 */
export class Presence {
  readonly #channels = new Map<string, Map<string, Place>>()

  /** Takes the place over as it is, if it was entered with the same data. Returns false when it has to be told anew. */
  takeOver(channel: string, member: string, owner: string, data: string): boolean {
    const place = this.#channels.get(channel)?.get(member)
    if (place?.data !== data || place.joined === undefined) return false
    this.#channels.get(channel)?.set(member, { ...place, owner })
    return true
  }

  /** Takes the place; `joined` is to be filled in when the log has the entry. */
  enter(channel: string, member: string, owner: string, data: string): Place {
    let members = this.#channels.get(channel)
    if (members === undefined) {
      members = new Map()
      this.#channels.set(channel, members)
    }
    const place: Place = { owner, data, joined: undefined }
    members.set(member, place)
    return place
  }

  has(channel: string, member: string): boolean {
    return this.#channels.get(channel)?.has(member) === true
  }

  /** Gives the place up. Returns it, or undefined when `owner` does not hold it (any more). */
  leave(channel: string, member: string, owner: string): Place | undefined {
    const members = this.#channels.get(channel)
    const place = members?.get(member)
    if (members === undefined || place?.owner !== owner) return undefined
    members.delete(member)
    if (members.size === 0) this.#channels.delete(channel)
    return place
  }

  /** Every place that the log knows of. */
  *places(): Generator<HeldPlace> {
    for (const [channel, members] of this.#channels) {
      for (const [member, { joined }] of members) if (joined !== undefined) yield { channel, member, joined }
    }
  }
}
