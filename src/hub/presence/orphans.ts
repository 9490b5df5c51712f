import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import { PRESENCE } from "../channel/facets.ts"
import type { Nodes } from "../cluster/nodes.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../options.ts"
import type { Publisher } from "../publish/publisher.ts"
import type { Target } from "../target.ts"
import { decodeMembership, LEASE_OVER } from "./membership.ts"
import type { HeldPlace } from "./presence.ts"
import { ASK_MS } from "./stays.ts"

/** One node sees the members of a channel off; the next waits so much longer, in ms, in case that one does not. */
const STEP_MS = 400
const STEPS_MAX = 2

/** Of how many channels it is remembered how they were when they were looked through. */
const LOOKED_MAX = 100_000

export interface OrphansPorts {
  readonly node: string
  readonly nodes: Nodes
  readonly log: Log
  readonly limits: Limits
  readonly logger: Logger
  readonly publisher: Publisher
  /** Asks the other nodes whether the client of this place comes to one of them now. Undefined: there is no way. */
  readonly ask: ((place: HeldPlace) => void) | undefined
  readonly digest: (text: string) => string
  readonly later: (ms: number, task: () => void) => void
}

/** Finds the members of nodes whose lease is over, in the channels that this node follows, and sees them off. */
export class Orphans {
  readonly #ports: OrphansPorts
  /** Channels that are being looked through; true: they have to be once more. */
  readonly #looking = new Map<string, boolean>()
  readonly #looked = new Map<string, { readonly top: number; readonly deaths: number }>()

  constructor(ports: OrphansPorts) {
    this.#ports = ports
  }

  /** A channel is opened: as nobody here has followed it, members may be in it that nobody has seen off. */
  opened(target: Target, top: number): void {
    const before = this.#looked.get(target.name)
    const { deaths } = this.#ports.nodes
    if (before?.top === top && before.deaths === deaths) return
    if (this.#looked.size >= LOOKED_MAX) this.#looked.clear()
    this.#looked.set(target.name, { top, deaths })
    this.look(target)
  }

  /** Some node is gone, and others know it too: they do this one after the other, so that there is little left to do. */
  lookInTurn(target: Target): void {
    const { node, nodes, digest, later } = this.#ports
    const own = digest(`${target.name}\n${node}`)
    const rank = nodes.names().filter((name) => digest(`${target.name}\n${name}`) < own).length
    if (rank === 0) this.look(target)
    else later(Math.min(rank, STEPS_MAX) * STEP_MS, () => this.look(target))
  }

  look(target: Target): void {
    const isLooking = this.#looking.has(target.name)
    this.#looking.set(target.name, isLooking)
    if (isLooking) return
    this.#seeOff(target).then(
      () => this.#end(target),
      (error: unknown) => {
        const { logger, limits, later } = this.#ports
        logger.error(`members of ${target.name} could not be seen off, trying again`, { error })
        this.#looking.set(target.name, true)
        later(limits.retryMs, () => this.#end(target))
      },
    )
  }

  #end(target: Target): void {
    const again = this.#looking.get(target.name) === true
    this.#looking.delete(target.name)
    if (again) this.look(target)
  }

  /**
   * Those who come with requests may come to other nodes: these have the time to say so, all at once, and then nobody is seen
   * off.
   */
  async #seeOff(target: Target): Promise<void> {
    const { log, limits, ask, later } = this.#ports
    const { pageEntriesMax: entriesMax, pageBytesMax: bytesMax } = limits
    const { top: through } = await log.head(target.name)
    const asked: HeldPlace[] = []
    for (let after = 0; after < through; ) {
      const page = await log.read(target.name, {
        after,
        through,
        select: "fold",
        collections: [PRESENCE],
        entriesMax,
        bytesMax,
      })
      const gone: HeldPlace[] = []
      for (const entry of page.entries) {
        if (!this.#isOrphan(entry)) continue
        const place = { channel: target.name, member: entry.key, joined: entry.offset }
        const isAsked = ask !== undefined && decodeMembership(entry.body).isBrief
        if (isAsked) ask(place)
        const those = isAsked ? asked : gone
        those.push(place)
      }
      await this.#tell(target, gone)
      if (page.next <= after) break
      after = page.next
    }
    if (asked.length === 0) return
    await new Promise<void>((resolve) => later(ASK_MS, resolve))
    for (let from = 0; from < asked.length; from += entriesMax) {
      await this.#tell(target, asked.slice(from, from + entriesMax))
    }
  }

  async #tell(target: Target, places: readonly HeldPlace[]): Promise<void> {
    const { publisher } = this.#ports
    await Promise.all(places.map(({ member, joined }) => publisher.left(target, member, joined, LEASE_OVER)))
  }

  #isOrphan({ body }: Entry): boolean {
    const { nodes } = this.#ports
    const { node } = decodeMembership(body)
    nodes.note(node)
    return nodes.isGone(node)
  }
}
