import type { Logger } from "../hub/ports/logger.ts"
import { HoldfastError } from "../protocol/error.ts"

/** What a hub closes when it is closed. */
export interface OpenLink {
  readonly close: (code: number, reason: string) => void
  readonly destroy: () => void
}

/** The open links of a hub: its WebSockets, and the requests that are being answered. */
export class Links {
  readonly #links = new Set<OpenLink>()
  readonly #raw = new Set<OpenLink>()
  #whenNone: (() => void)[] = []
  readonly #connectionsMax: number
  readonly #logger: Logger
  #closing = false
  #loggedFull = false

  constructor(connectionsMax: number, logger: Logger) {
    this.#connectionsMax = connectionsMax
    this.#logger = logger
  }

  /** Why no more links are taken; undefined when they are. */
  get refusal(): HoldfastError | undefined {
    if (this.#closing) return new HoldfastError("closed", "The server is closing.")
    if (this.#links.size < this.#connectionsMax) return undefined
    if (!this.#loggedFull) {
      this.#logger.warn("connections are refused: there are as many as there may be", {
        connectionsMax: this.#connectionsMax,
      })
    }
    this.#loggedFull = true
    return new HoldfastError("too_many_connections", "The server has as many connections as it may have.")
  }

  add(link: OpenLink): void {
    this.#links.add(link)
  }

  /** A link that does not speak the protocol. */
  addRaw(link: OpenLink): void {
    this.#links.add(link)
    this.#raw.add(link)
  }

  /** The links that do not speak the protocol. */
  raw(): Iterable<OpenLink> {
    return this.#raw
  }

  get size(): number {
    return this.#links.size
  }

  delete(link: OpenLink): void {
    this.#links.delete(link)
    this.#raw.delete(link)
    this.#loggedFull = false
    if (this.#links.size > 0) return
    for (const resolve of this.#whenNone.splice(0)) resolve()
  }

  /** From now on new links are refused. */
  refuseMore(): void {
    this.#closing = true
  }

  destroy(): void {
    for (const link of this.#links) link.destroy()
  }

  /** Resolves when the last link is gone. */
  async gone(): Promise<void> {
    if (this.#links.size === 0) return
    await new Promise<void>((resolve) => this.#whenNone.push(resolve))
  }
}
