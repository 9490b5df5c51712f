import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Entropy } from "../ports/entropy.ts"
import type { Connection } from "./connection.ts"
import type { Connections } from "./connections.ts"

export interface DrainPorts {
  readonly connections: Connections
  readonly clock: Clock
  readonly entropy: Entropy
  readonly limits: Limits
}

/**
 * Tells clients to come back, and serves each until it is gone: it makes its new connection before it drops this one. A client
 * that stays is closed `handoverMs` after it should have come back.
 */
export class Drain {
  readonly #ports: DrainPorts

  constructor(ports: DrainPorts) {
    this.#ports = ports
  }

  /** Every client, each at another time within `spreadMs`. */
  handOverAll(reason: string, spreadMs: number): void {
    const { connections, entropy } = this.#ports
    for (const connection of connections) {
      this.handOver(connection, reason, Math.round(entropy.random() * spreadMs))
    }
  }

  handOver(connection: Connection, reason: string, afterMs: number): void {
    const { clock, limits } = this.#ports
    // it is closed as soon as it has what was there
    if (connection.state === "ending") return
    const close = () => connection.close("goingAway", reason)
    if (connection.state !== "open") {
      // it has nothing yet that it could miss
      close()
      return
    }
    connection.send({ type: "goaway", reason, reconnect: true, afterMs })
    connection.cancelHandover?.()
    connection.cancelHandover = clock.after(afterMs + limits.handoverMs, close)
  }
}
