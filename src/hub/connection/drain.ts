import type { Core } from "../core.ts"
import type { Connection } from "./connection.ts"

/**
 * Tells every client to come back, each at another time within `spreadMs`, and serves each until it is gone: it makes its new
 * connection before it drops this one. Who stays is closed `handoverMs` after it should have come back.
 */
export function handOverAll(core: Core, reason: string, spreadMs: number): void {
  for (const connection of core.connections) {
    handOver(core, connection, reason, Math.round(core.entropy.random() * spreadMs))
  }
}

export function handOver(core: Core, connection: Connection, reason: string, afterMs: number): void {
  const close = () => connection.close("goingAway", reason)
  if (connection.state !== "open") {
    // it has nothing yet that it could miss
    close()
    return
  }
  connection.send({ type: "goaway", reason, reconnect: true, afterMs })
  connection.cancelHandover?.()
  connection.cancelHandover = core.clock.after(afterMs + core.limits.handoverMs, close)
}
