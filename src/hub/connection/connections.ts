import { Encoded } from "../channel/encoded.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Connection } from "./connection.ts"

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
  /** By member, the one that its client opened last. */
  readonly #latest = new Map<string, Connection>()
  readonly #ping = new Encoded({ type: "ping" })
  /** When one was opened last whose client did not say when. */
  #openedAtMs = 0
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

  /** When a connection is opened whose client does not say: by the wall clock, which may be set back; never before another. */
  openingAtMs(): number {
    this.#openedAtMs = Math.max(this.#openedAtMs, this.#clock.now())
    return this.#openedAtMs
  }

  /** The connection has said hello and was let in. */
  opened(connection: Connection): void {
    this.#unopened.delete(connection)
    // hellos may arrive in another order than they were said
    const latest = this.#latest.get(connection.member)
    if (latest === undefined || latest.openedAt <= connection.openedAt) {
      this.#latest.set(connection.member, connection)
    }
  }

  /** The client was heard of at another node, over a line that it opened then. */
  openedElsewhere(member: string, openedAt: number): void {
    const latest = this.#latest.get(member)
    if (latest !== undefined && latest.openedAt < openedAt) latest.isOfThePast = true
  }

  /** What was heard of there is over, without the client's doing: a line that it has here may be all it has. */
  closedElsewhere(member: string): void {
    const latest = this.#latest.get(member)
    if (latest !== undefined) latest.isOfThePast = false
  }

  /** Whether its client has opened another one since: what this one still says is of the past. */
  isSuperseded(connection: Connection): boolean {
    return connection.isOfThePast || (this.#latest.get(connection.member) ?? connection) !== connection
  }

  remove(connection: Connection): void {
    this.#unopened.delete(connection)
    if (this.#latest.get(connection.member) === connection) this.#latest.delete(connection.member)
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
    if (connection.expiresAt <= now) {
      connection.close("unauthorized", "token_expired")
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
