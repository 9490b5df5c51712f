import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import type { Outcome, Retention } from "../../log/operation.ts"
import { entries } from "../channel/entries.ts"
import { PRESENCE } from "../channel/facets.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Place } from "./places.ts"

export interface RegisterPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  /** What the presence of a channel retains. */
  readonly retention: (channel: string) => Retention
}

/**
 * The members of channels in the log: each is a last-writer-wins register, as a removal keeps its version. Whatever was asked for
 * with a lower version, and arrives late, is refused.
 */
export class Register {
  readonly #ports: RegisterPorts

  constructor(ports: RegisterPorts) {
    this.#ports = ports
  }

  /** The same body again changes holder and version, and makes no entry. */
  put(channel: string, member: string, place: Place, holder: string): Promise<Outcome> {
    const { log, clock, limits, retention } = this.#ports
    const { version, body, user } = place
    const account = {
      name: user === undefined ? `member/${member}` : `user/${user}`,
      keysMax: limits.membersPerUserMax,
      idempotencyKeysMax: 0,
    }
    const operation = {
      operation: "put",
      collection: PRESENCE,
      key: member,
      body,
      holder,
      quiet: true,
    } as const
    const options = { retention: retention(channel), condition: { version }, account }
    return log.append(channel, { ...operation, at: clock.now() }, options)
  }

  /** Refused if anything was asked for with a higher version. */
  remove(channel: string, member: string, version: number): Promise<Outcome> {
    const { log, clock, retention } = this.#ports
    const operation = { operation: "remove", collection: PRESENCE, key: member, at: clock.now() } as const
    const options = { retention: retention(channel), condition: { version } }
    return log.append(channel, { ...operation, body: new Uint8Array(0) }, options)
  }

  /** Whether the log has the member, or remembers that it was removed. */
  async knows(channel: string, member: string): Promise<boolean> {
    return (await this.#ports.log.find(channel, PRESENCE, member)) !== undefined
  }

  /** The members whose holder is wanted. */
  heldBy(channel: string, isWanted: (holder: string) => boolean): Promise<Entry[]> {
    const range = { after: 0, select: "fold", collections: [PRESENCE] } as const
    return entries(this.#ports, channel, range, ({ holder }) => isWanted(holder))
  }
}
