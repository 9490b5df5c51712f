import type { Membership } from "../channel/membership.ts"

/** Who enters, and how. */
export interface Entrance {
  /** A connection, or the member itself, for the requests of a client that has no connection. */
  readonly owner: string
  /** When the client opened the line over which it enters, by its own clock. */
  readonly openedAt: number
  /** The data it enters with, MessagePack. */
  readonly payload: Uint8Array
}

/** A member's place in a channel, as this node holds it, and who entered last. */
export interface Place extends Entrance {
  owner: string
  openedAt: number
  /** The offset of the entry that told of it; undefined until the log has it. */
  joined: number | undefined
  /** Another node told of it, and answers for it: this one only knows that it is there. */
  readonly elsewhere: boolean
  /** Until then, the place that it is to follow, if the member had one. */
  before: Place | undefined
  /** The owner has given it up before the log had it; the body of the `left` entry that says why. */
  abandoned: Uint8Array | undefined
  /** The owner is gone, and its time to come back runs. */
  lingering: boolean
}

/** A place that is held, and whose it is. */
export interface HeldPlace {
  readonly channel: string
  readonly member: string
  readonly joined: number
}

/** A place that this node answers for. */
export interface OwnPlace extends HeldPlace {
  readonly openedAt: number
  /** Its client comes with requests, to other nodes too. */
  readonly isBrief: boolean
}

/**
 * Which connection owns which member of which channel: the data structure of presence, without time or I/O. A member is
 * the same over reconnects, so its place passes to the connection that enters last, and a connection that goes gives up
 * only the places it still owns.
 */
export class Presence {
  readonly #channels = new Map<string, Map<string, Place>>()
  readonly #handleEmpty: (channel: string) => void

  /** `handleEmpty`: no member of this node is in the channel any more. */
  constructor(handleEmpty: (channel: string) => void) {
    this.#handleEmpty = handleEmpty
  }

  find(channel: string, member: string): Place | undefined {
    return this.#channels.get(channel)?.get(member)
  }

  /** The channels that some member of this node is in. */
  channels(): string[] {
    return [...this.#channels.keys()]
  }

  members(channel: string): [string, Place][] {
    return [...(this.#channels.get(channel) ?? [])]
  }

  /** Takes the place over as it is, if it was entered with the same data. Returns false when it has to be told anew. */
  takeOver(channel: string, member: string, { owner, openedAt, payload }: Entrance): boolean {
    const place = this.find(channel, member)
    if (place?.joined === undefined || !equal(place.payload, payload)) return false
    // a line was here, and another one at the node that answers for the member now: it goes with that one
    if (place.elsewhere && place.owner !== member) return false
    this.#channels.get(channel)?.set(member, { ...place, owner, openedAt, lingering: false })
    return true
  }

  /** Takes the place; what becomes of it is to be told with `confirm` or `revert`. */
  enter(channel: string, member: string, { owner, openedAt, payload }: Entrance): Place {
    const place: Place = {
      owner,
      openedAt,
      payload,
      joined: undefined,
      elsewhere: false,
      before: this.find(channel, member),
      abandoned: undefined,
      lingering: false,
    }
    this.#put(channel, member, place)
    return place
  }

  /** Knows the member, whose client comes with requests, to be there, as another node has told. */
  know(channel: string, member: string, payload: Uint8Array, joined: number, openedAt: number): void {
    this.#put(channel, member, {
      owner: member,
      openedAt,
      // a part of a page would keep all of it
      payload: payload.slice(),
      joined,
      elsewhere: true,
      before: undefined,
      abandoned: undefined,
      lingering: false,
    })
  }

  /**
   * Another node has told of the member: that one answers for it. What remains here is the knowledge of it, for the requests
   * of clients that have no connection; and for a connection that is still there, in case that what the other node was asked
   * for came over a line of the past, and goes with it. A member that has gone over to a line there goes with that line: whoever
   * comes back here is to be told of.
   */
  moved(channel: string, member: string, told: Membership, joined: number): void {
    const place = this.find(channel, member)
    if (place === undefined) return
    const isBrief = place.owner === member
    const isOverLine = isBrief && !told.isBrief && told.openedAt >= place.openedAt
    if (isOverLine || place.lingering) this.forget(channel, member)
    else if (isBrief) this.know(channel, member, told.payload, joined, place.openedAt)
    else this.#put(channel, member, { ...place, joined, elsewhere: true })
  }

  /** The log has the entry, at `offset`. */
  confirm(place: Place, offset: number): void {
    place.joined = offset
    place.before = undefined
  }

  /**
   * The log did not take the entry: the member is where it was before, which is up to the same owner now, or given up by it.
   * What was before may itself be on its way to the log.
   */
  revert(channel: string, member: string, place: Place): void {
    const latest = this.find(channel, member)
    const { before, owner, openedAt, lingering, abandoned } = place
    if (latest !== place) {
      for (let later = latest; later !== undefined; later = later.before) {
        if (later.before === place) later.before = before
      }
    } else if (before === undefined) this.forget(channel, member)
    else this.#put(channel, member, Object.assign(before, { owner, openedAt, lingering, abandoned }))
  }

  /** `owner` is gone, and may come back. */
  letGo(channel: string, member: string, owner: string): void {
    const place = this.find(channel, member)
    if (place?.owner === owner) place.lingering = true
  }

  /**
   * Gives the place up. Returns where the log knows it from, or undefined when `owner` does not hold it (any more), another
   * node answers for it, or the log does not have it yet: then it is `abandoned`, and has to be left again when the log
   * has it.
   */
  leave(channel: string, member: string, owner: string, why: Uint8Array): HeldPlace | undefined {
    const place = this.find(channel, member)
    if (place?.owner !== owner) return undefined
    const { joined } = place
    if (joined === undefined) {
      place.abandoned = why
      return undefined
    }
    this.forget(channel, member)
    return place.elsewhere ? undefined : { channel, member, joined }
  }

  /** The member is not this node's any more. */
  forget(channel: string, member: string): void {
    const members = this.#channels.get(channel)
    members?.delete(member)
    if (members?.size !== 0) return
    this.#channels.delete(channel)
    this.#handleEmpty(channel)
  }

  /** Every place that the log knows of and this node answers for. */
  *places(): Generator<OwnPlace> {
    for (const [channel, members] of this.#channels) {
      for (const [member, place] of members) {
        const known = latestKnown(place)
        if (known?.joined === undefined || known.elsewhere) continue
        const { owner, openedAt } = place
        yield { channel, member, joined: known.joined, openedAt, isBrief: owner === member }
      }
    }
  }

  #put(channel: string, member: string, place: Place): void {
    const members = this.#channels.get(channel)
    if (members === undefined) this.#channels.set(channel, new Map([[member, place]]))
    else members.set(member, place)
  }
}

/** The place, or the one that it followed, that the log tells of. */
function latestKnown(place: Place): Place | undefined {
  let known: Place | undefined = place
  while (known !== undefined && known.joined === undefined) known = known.before
  return known
}

/** Whether the log was told of it, and has not said since that it has it. */
export function isPending(place: Place | undefined): boolean {
  return place !== undefined && place.joined === undefined
}

/** Whether what the log has at this offset came after what this node knows of the member. */
export function isNewsOf(place: Place | undefined, offset: number): place is Place {
  return place?.joined !== undefined && place.joined < offset
}

/** Whether what was told or asked for later than this place came over a line that the member's client had opened before. */
export function isOfThePast(
  { openedAt }: { readonly openedAt: number },
  member: string,
  place: Place,
): boolean {
  return place.owner !== member && !place.lingering && openedAt < place.openedAt
}

export function equal(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, index) => byte === other[index])
}
