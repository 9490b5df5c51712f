import { Encoded } from "../channel/encoded.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import { type Connection, expire } from "./connection.ts"

/** In how many parts the connections are looked after during one heartbeat, so that pings do not come in one lump. */
const PARTS = 25

/**
 * The connections of this node, and the one timer that looks after all of them: pings, peers that went silent, hellos
 * that never came, tokens that ran out.
 */
export class Connections {
  readonly #clock: Clock
  readonly #limits: Limits
  readonly #parts: readonly Set<Connection>[] = Array.from({ length: PARTS }, () => new Set<Connection>())
  readonly #unopened = new Map<Connection, number>()
  readonly #ping = new Encoded({ type: "ping" })
  #added = 0
  #size = 0
  #nextPart = 0
  #cancel: (() => void) | undefined

  constructor(clock: Clock, limits: Limits) {
    this.#clock = clock
    this.#limits = limits
  }

  get size(): number {
    return this.#size
  }

  add(connection: Connection): void {
    this.#part(this.#added++ % PARTS).add(connection)
    this.#unopened.set(connection, this.#clock.monotonic())
    this.#size++
    this.#cancel ??= this.#schedule()
  }

  /** The connection has said hello. */
  handleHello(connection: Connection): void {
    this.#unopened.delete(connection)
  }

  remove(connection: Connection): void {
    this.#unopened.delete(connection)
    for (const part of this.#parts) {
      if (part.delete(connection)) {
        this.#size--
        break
      }
    }
    if (this.#size > 0) return
    this.#cancel?.()
    this.#cancel = undefined
  }

  *[Symbol.iterator](): Generator<Connection> {
    for (const part of this.#parts) yield* part
  }

  #part(index: number): Set<Connection> {
    return this.#parts[index] as Set<Connection>
  }

  #schedule(): () => void {
    return this.#clock.after(this.#limits.heartbeatMs / PARTS, () => {
      this.#look()
      this.#cancel = this.#size > 0 ? this.#schedule() : undefined
    })
  }

  #look(): void {
    const part = this.#part(this.#nextPart)
    this.#nextPart = (this.#nextPart + 1) % PARTS
    const now = this.#clock.now()
    for (const connection of part) this.#lookAfter(connection, now)
    const since = this.#clock.monotonic() - this.#limits.helloTimeoutMs
    for (const [connection, addedAt] of this.#unopened) {
      if (addedAt > since) break
      connection.close("timeout", "no hello in time")
    }
  }

  #lookAfter(connection: Connection, now: number): void {
    // the timer of a token knows nothing of a wall clock that jumps
    if (connection.expiresAt <= now) {
      expire(connection)
      return
    }
    connection.silentLooks = connection.heard || connection.inbox.held ? 0 : connection.silentLooks + 1
    connection.heard = false
    if (connection.silentLooks >= 2) connection.close("timeout", "nothing heard for two heartbeats")
    // whoever has not taken what was sent so far would not see a ping either
    else if (connection.state === "open" && !connection.outlet.blocked) {
      connection.outlet.write(this.#ping.frame(connection.outlet.link.encoding))
    }
  }
}
