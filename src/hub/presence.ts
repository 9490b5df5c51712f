/** A member's place in a channel, as this node holds it. */
export interface Place {
  /** The connection that entered last. */
  readonly owner: string
  /** A digest of the data it entered with. */
  readonly data: string
  /** The offset of the entry that told of it; undefined until the log has it. */
  joined: number | undefined
  /** Until then, the place that it is to follow, if the member had one. */
  before: Place | undefined
  /** The owner has given it up before the log had it. */
  abandoned: boolean
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

  /** Takes the place; what becomes of it is to be told with `confirm` or `revert`. */
  enter(channel: string, member: string, owner: string, data: string): Place {
    let members = this.#channels.get(channel)
    if (members === undefined) {
      members = new Map()
      this.#channels.set(channel, members)
    }
    const place: Place = { owner, data, joined: undefined, before: members.get(member), abandoned: false }
    members.set(member, place)
    return place
  }

  /** The log has the entry, at `offset`. */
  confirm(place: Place, offset: number): void {
    place.joined = offset
    place.before = undefined
  }

  /** The log did not take the entry: the member is where it was before, which is up to the same owner now. */
  revert(channel: string, member: string, place: Place): void {
    if (this.#channels.get(channel)?.get(member) !== place) return
    const known = latestKnown(place)
    if (known === undefined) this.#delete(channel, member)
    else this.#channels.get(channel)?.set(member, { ...known, owner: place.owner })
  }

  /**
   * Gives the place up. Returns where the log knows it from, or undefined when `owner` does not hold it (any more), or the
   * log does not have it yet: then it is `abandoned`, and has to be left again when the log has it.
   */
  leave(channel: string, member: string, owner: string): HeldPlace | undefined {
    const place = this.#channels.get(channel)?.get(member)
    if (place?.owner !== owner) return undefined
    const { joined } = place
    if (joined === undefined) {
      place.abandoned = true
      return undefined
    }
    this.#delete(channel, member)
    return { channel, member, joined }
  }

  /** Every place that the log knows of. */
  *places(): Generator<HeldPlace> {
    for (const [channel, members] of this.#channels) {
      for (const [member, place] of members) {
        const joined = latestKnown(place)?.joined
        if (joined !== undefined) yield { channel, member, joined }
      }
    }
  }

  #delete(channel: string, member: string): void {
    const members = this.#channels.get(channel)
    members?.delete(member)
    if (members?.size === 0) this.#channels.delete(channel)
  }
}

/** The place, or the one that it followed, that the log tells of. */
function latestKnown(place: Place): Place | undefined {
  let known: Place | undefined = place
  while (known !== undefined && known.joined === undefined) known = known.before
  return known
}
