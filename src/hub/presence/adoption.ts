import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import { entries } from "../channel/entries.ts"
import { PRESENCE } from "../channel/facets.ts"
import type { Limits } from "../limits.ts"
import type { Logger } from "../options.ts"
import type { Target } from "../target.ts"
import { decodeMembership } from "./membership.ts"
import type { HeldPlace } from "./presence.ts"

/** Of how many channels it is remembered that they were looked through. */
const ADOPTED_MAX = 100_000

export interface AdoptionPorts {
  readonly node: string
  readonly log: Log
  readonly limits: Limits
  readonly logger: Logger
  readonly later: (ms: number, task: () => void) => void
  /** Tells the log that the member has left, unless it has come back. */
  readonly seeOff: (place: HeldPlace) => void
}

/**
 * Looks for members that a node left behind which is no more, as after a crash, and sees them off unless they come back in
 * time: in a log that is this node's alone, where there will be no others later. So a channel is looked through once.
 */
export class Adoption {
  readonly #ports: AdoptionPorts
  readonly #adopted = new Set<string>()

  constructor(ports: AdoptionPorts) {
    this.#ports = ports
  }

  adopt(target: Target): void {
    if (this.#adopted.has(target.name)) return
    if (this.#adopted.size >= ADOPTED_MAX) this.#adopted.clear()
    this.#adopted.add(target.name)
    void this.#seeOffOrphans(target)
  }

  async #seeOffOrphans(target: Target): Promise<void> {
    const { node, limits, logger, later, seeOff } = this.#ports
    const isOrphan = ({ body }: Entry) => decodeMembership(body).node !== node
    try {
      const orphans = await entries(
        this.#ports,
        target.name,
        { after: 0, select: "fold", collections: [PRESENCE] },
        isOrphan,
      )
      if (orphans.length === 0) return
      later(limits.presenceLeaseMs, () => {
        for (const { key, offset } of orphans) seeOff({ channel: target.name, member: key, joined: offset })
      })
    } catch (error) {
      logger.error(`the log of ${target.name} could not be read, trying again`, { error })
      later(limits.retryMs, () => void this.#seeOffOrphans(target))
    }
  }
}
