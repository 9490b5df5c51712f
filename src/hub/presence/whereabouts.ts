import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import { PRESENCE } from "../channel/facets.ts"
import type { Target } from "../target.ts"
import type { HeldChannels } from "./held-channels.ts"
import { decodeMembership } from "./membership.ts"
import { type Entrance, equal, type Presence } from "./presence.ts"
import type { Stays } from "./stays.ts"

export interface WhereaboutsPorts {
  readonly presence: Presence
  readonly stays: Stays
  readonly held: HeldChannels
  readonly log: Log
  /** The other nodes that are there. */
  readonly otherNodes: () => readonly string[]
}

/** Looks up in the log where a client was before that comes with one request after the other, each to any node. */
export class Whereabouts {
  readonly #ports: WhereaboutsPorts
  /** Members that are being looked up; true: something was told of them meanwhile. */
  readonly #lookups = new Map<string, boolean>()

  constructor(ports: WhereaboutsPorts) {
    this.#ports = ports
  }

  /**
   * Another node has told of the member, so that what is found may be of the past; or has asked whether it comes here: then
   * this node is to tell of it, whatever is found.
   */
  handleNews(channel: string, member: string): void {
    const lookup = lookupOf(channel, member)
    if (this.#lookups.has(lookup)) this.#lookups.set(lookup, true)
  }

  /**
   * Whether another node, to which the client came before, has told of the member as it is to be, or its client has gone
   * meanwhile. Then there is nothing to tell: with each entry of that kind, all polls in the channel would end, and their
   * clients come to another node again.
   */
  async isElsewhere(target: Target, member: string, entrance: Entrance): Promise<boolean> {
    const { presence, held } = this.#ports
    if (presence.find(target.name, member) !== undefined) return false
    const lookup = lookupOf(target.name, member)
    this.#lookups.set(lookup, false)
    try {
      return await held.during(target, () => this.#lookUp(target, member, entrance))
    } finally {
      this.#lookups.delete(lookup)
    }
  }

  async #lookUp(target: Target, member: string, { payload, openedAt }: Entrance): Promise<boolean> {
    const { presence, stays, held } = this.#ports
    const found = await this.#told(target, member)
    // the log has taken longer than the lease: nothing would end what was told or known of it from now on
    if (!stays.has(target.name, member)) return true
    const isOfThePast = this.#lookups.get(lookupOf(target.name, member)) === true
    if (found === undefined || isOfThePast || !equal(found.payload, payload)) return false
    if (presence.find(target.name, member) !== undefined) return false
    presence.know(target.name, member, found.payload, found.offset, openedAt)
    // what becomes of it there has to be heard of, though nobody may subscribe here
    await held.hold(target)
    return true
  }

  /** The entry that says that the member is in, whichever node has told of it. */
  async find(target: Target, member: string): Promise<Entry | undefined> {
    const { log } = this.#ports
    const entry = await log.find(target.name, PRESENCE, member)
    return entry?.operation === "put" ? entry : undefined
  }

  /** What the log tells of a member, if a node that is there has told it, and answers for it without a line. */
  async #told(
    target: Target,
    member: string,
  ): Promise<{ readonly payload: Uint8Array; readonly offset: number } | undefined> {
    const entry = await this.find(target, member)
    if (entry === undefined) return undefined
    const { node, payload, isBrief } = decodeMembership(entry.body)
    const { offset } = entry
    return isBrief && this.#ports.otherNodes().includes(node) ? { payload, offset } : undefined
  }
}

function lookupOf(channel: string, member: string): string {
  return `${member}\n${channel}`
}
