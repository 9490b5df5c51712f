import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import type { Outcome, Retention } from "../../log/operation.ts"
import { PRESENCE } from "../channel/facets.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import { foldPages } from "./fold-pages.ts"
import type { Place } from "./places.ts"

export interface RegisterPorts {
  readonly log: Log
  readonly clock: Clock
  readonly limits: Limits
  /** What the presence of a channel retains. */
  readonly retention: (channel: string) => Retention
}

const NOTHING = new Uint8Array(0)

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
  put(
    channel: string,
    member: string,
    { version, body, user }: Pick<Place, "version" | "body" | "user">,
    holder: string,
  ): Promise<Outcome> {
    const { log, clock, limits, retention } = this.#ports
    const name = user === undefined ? `member/${member}` : `user/${user}`
    return log.append(
      channel,
      { operation: "put", collection: PRESENCE, key: member, body, holder, quiet: true, at: clock.now() },
      {
        retention: retention(channel),
        condition: { version },
        account: { name, keysMax: limits.membersPerUserMax, idempotencyKeysMax: 0 },
      },
    )
  }

  /** Refused if anything was asked for with a higher version. */
  remove(channel: string, member: string, version: number): Promise<Outcome> {
    const { log, clock, retention } = this.#ports
    return log.append(
      channel,
      { operation: "remove", collection: PRESENCE, key: member, body: NOTHING, at: clock.now() },
      { retention: retention(channel), condition: { version } },
    )
  }

  /** Whether the log has the member, or remembers that it was removed. */
  async knows(channel: string, member: string): Promise<boolean> {
    return (await this.#ports.log.find(channel, PRESENCE, member)) !== undefined
  }

  pages(channel: string): AsyncGenerator<readonly Entry[]> {
    return foldPages(this.#ports, channel, [PRESENCE])
  }
}
