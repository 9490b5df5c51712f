import type { Clock } from "../../hub/ports/clock.ts"
import { closeCodes } from "../../protocol/close.ts"
import type { Links } from "../links.ts"
import type { Mounts } from "./mounts.ts"
import type { OwnServers } from "./own-servers.ts"

export interface ShutdownPorts {
  readonly clock: Clock
  readonly links: Links
  readonly mounts: Mounts
  readonly servers: OwnServers
  readonly closeCore: () => Promise<void>
  readonly closeTimeoutMs: number
}

/** Closes a hub and everything that it opened, once. */
export class Shutdown {
  readonly #ports: ShutdownPorts
  #running: Promise<void> | undefined

  constructor(ports: ShutdownPorts) {
    this.#ports = ports
  }

  get isRunning(): boolean {
    return this.#running !== undefined
  }

  /** @throws what closing the log or a server fails with; the rest is closed all the same */
  run(): Promise<void> {
    this.#running ??= this.#closeAll()
    return this.#running
  }

  async #closeAll(): Promise<void> {
    const { clock, links, mounts, servers, closeCore, closeTimeoutMs } = this.#ports
    links.refuseMore()
    const closing = [servers.close(links.gone()), closeCore()]
    for (const link of links.raw()) link.close(closeCodes.goingAway.code, "the server closes")
    const cancel = clock.after(closeTimeoutMs * 2, () => links.destroy())
    const results = await Promise.allSettled([...closing, links.gone()])
    cancel()
    mounts.detachAll()
    for (const result of results) if (result.status === "rejected") throw result.reason
  }
}
