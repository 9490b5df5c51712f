import type { Clock } from "./clock.ts"
import type { Connection } from "./connection.ts"
import type { Logger } from "./options.ts"
import { Presence } from "./presence.ts"
import type { Publisher, Target } from "./publisher.ts"

/** How long to wait before a departure that the log did not take is told again, in ms. */
const RETRY_MS = 1_000

/** Presence at work: tells the log who came and who went, and gives a line that was cut some time to come back. */
export class Members {
  readonly #presence = new Presence()
  readonly #publisher: Publisher
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #graceMs: number
  readonly #target: (name: string) => Target
  readonly #departing = new Set<() => void>()
  #closed = false

  constructor(
    publisher: Publisher,
    clock: Clock,
    logger: Logger,
    graceMs: number,
    target: (name: string) => Target,
  ) {
    this.#publisher = publisher
    this.#clock = clock
    this.#logger = logger
    this.#graceMs = graceMs
    this.#target = target
  }

  /** Takes the member's place for `connection`. `data` is a digest of `body`. */
  async enter(target: Target, connection: Connection, body: Uint8Array, data: string): Promise<void> {
    connection.entered ??= new Set()
    connection.entered.add(target.name)
    if (this.#presence.enter(target.name, connection.member, connection.id, data)) {
      await this.#publisher.join(target, connection.member, body)
    }
    if (connection.state === "closed") this.#depart(target.name, connection.member, connection.id)
  }

  async leave(target: Target, connection: Connection): Promise<void> {
    connection.entered?.delete(target.name)
    if (this.#presence.leave(target.name, connection.member, connection.id)) {
      await this.#publisher.left(target, connection.member)
    }
  }

  /** The connection has gone: after the grace, so have its members that no other connection took over. */
  release(connection: Connection, orderly: boolean): void {
    if (connection.entered === undefined) return
    const { entered, member, id } = connection
    const depart = () => {
      for (const channel of entered) this.#depart(channel, member, id)
    }
    if (orderly || this.#graceMs === 0) depart()
    else this.#later(this.#graceMs, depart)
  }

  /** Everybody leaves: the hub closes. Resolves when the log knows. */
  async close(): Promise<void> {
    this.#closed = true
    for (const cancel of this.#departing) cancel()
    this.#departing.clear()
    const departures = [...this.#presence.places()].map(({ channel, member }) =>
      this.#publisher.left(this.#target(channel), member),
    )
    for (const outcome of await Promise.allSettled(departures)) {
      if (outcome.status === "rejected")
        this.#logger.error("presence: a departure could not be told", { error: outcome.reason })
    }
  }

  #depart(channel: string, member: string, owner: string): void {
    if (this.#closed || !this.#presence.leave(channel, member, owner)) return
    const tell = () => {
      // the member may have come back while a departure was tried again
      if (this.#presence.has(channel, member)) return
      this.#publisher.left(this.#target(channel), member).catch((error: unknown) => {
        this.#logger.error("presence: a departure could not be told, trying again", { channel, error })
        if (!this.#closed) this.#later(RETRY_MS, tell)
      })
    }
    tell()
  }

  #later(ms: number, task: () => void): void {
    const cancel = this.#clock.after(ms, () => {
      this.#departing.delete(cancel)
      task()
    })
    this.#departing.add(cancel)
  }
}
