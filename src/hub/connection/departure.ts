import type { CloseReason } from "../../protocol/close.ts"
import type { FinalDelivery, Heads } from "../channel/final-delivery.ts"
import type { Clock } from "../ports/clock.ts"
import type { Connection } from "./connection.ts"
import type { Connections } from "./connections.ts"
import type { Endings } from "./endings.ts"

/** A connected client, as the server's own code sees it. */
export interface ConnectedClient<User> {
  readonly id: string
  readonly member: string
  readonly user: User
  /**
   * Ends the client for good: it gets what was published before, then the reason, and does not come back by itself. A client by
   * plain HTTP is ended with its other requests.
   */
  readonly close: (reason: string) => void
  /** Cuts the line without a word, as a broken network would: the client comes back by itself. */
  readonly drop: () => void
}

/** Why and how the clients are sent away. */
export interface Departure {
  readonly reason: string
  /** Whether they come back by themselves. */
  readonly reconnect: boolean
  /** Those who come back do so spread over this time, in ms. Each is served until it has, or for `handoverMs` more. */
  readonly spreadMs: number
}

export interface DeparturesPorts {
  readonly clock: Clock
  readonly connections: Connections
  readonly endings: Endings
  readonly finalDelivery: FinalDelivery
}

/** Ends connections: each gets the entries that were there when it was ended, then a goaway, then the close. */
export class Departures {
  readonly #ports: DeparturesPorts

  constructor(ports: DeparturesPorts) {
    this.#ports = ports
  }

  *clients<User>(): Generator<ConnectedClient<User>> {
    for (const connection of this.#ports.connections) {
      if (connection.state !== "open") continue
      const { id, member } = connection
      yield {
        id,
        member,
        user: connection.user as User,
        close: (reason) => this.#closeClient(member, reason),
        drop: () => connection.outlet.link.destroy(),
      }
    }
  }

  /** Ends these connections for good: the clients do not come back by themselves. */
  disconnect(connections: Iterable<Connection>, reason: string): void {
    const heads = this.#ports.finalDelivery.heads()
    for (const connection of connections) void this.#end(connection, "disconnected", reason, heads)
  }

  /** Ends every connection for good. */
  disconnectAll(reason: string): void {
    const { clock, connections, endings } = this.#ports
    endings.add("all", { reason, reconnect: false, atMs: clock.now() })
    this.disconnect([...connections], reason)
  }

  /** Closes every connection; the clients come back by themselves. Resolves when each was sent its close. */
  async closeAll(reason: string): Promise<void> {
    const heads = this.#ports.finalDelivery.heads()
    const all = [...this.#ports.connections]
    await Promise.all(all.map((connection) => this.#end(connection, "goingAway", reason, heads)))
  }

  #closeClient(member: string, reason: string): void {
    const { clock, connections, endings } = this.#ports
    endings.add({ member }, { reason, reconnect: false, atMs: clock.now() })
    this.disconnect(
      [...connections].filter((each) => each.member === member),
      reason,
    )
  }

  #end(connection: Connection, why: CloseReason, reason: string, heads: Heads): Promise<void> {
    if (connection.state === "ending") return connection.ended ?? Promise.resolve()
    if (connection.state !== "open") {
      connection.close(why, reason)
      return Promise.resolve()
    }
    connection.state = "ending"
    connection.leaves = why === "disconnected"
    connection.cancelHandover?.()
    const subscriptions = [...connection.subscriptions.values()].filter((each) => each !== undefined)
    const reconnect = why === "goingAway"
    connection.ended = new Promise((resolve) => {
      this.#ports.finalDelivery.deliver(subscriptions, heads, () => {
        connection.send({ type: "goaway", reason, reconnect, afterMs: 0 })
        connection.close(why, reason)
        resolve()
      })
    })
    return connection.ended
  }
}
