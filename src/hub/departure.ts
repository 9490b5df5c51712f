import type { CloseReason } from "../protocol/close.ts"
import type { Connection } from "./connection.ts"
import type { Core } from "./core.ts"

/** A connected client, as the server's own code sees it. */
export interface ConnectedClient<User> {
  readonly id: string
  readonly member: string
  readonly user: User
  /** Ends the connection for good: the client does not come back by itself. */
  readonly close: (reason: string) => void
  /** Cuts the line without a word, as a broken network would: the client comes back by itself. */
  readonly drop: () => void
}

/** Why and how the clients are sent away. */
export interface Departure {
  readonly reason: string
  /** Whether they come back by themselves. */
  readonly reconnect: boolean
  /** They come back spread over this time, in ms. */
  readonly spreadMs: number
}

export function* connectedClients<User>(core: Core): Generator<ConnectedClient<User>> {
  for (const connection of core.connections) {
    if (connection.state !== "open") continue
    const { id, member } = connection
    yield {
      id,
      member,
      user: connection.user as User,
      close: (reason) => sendAway(connection, reason, false, 0, "disconnected"),
      drop: () => connection.outlet.link.destroy(),
    }
  }
}

export function disconnectAll(core: Core, { reason, reconnect, spreadMs }: Departure): void {
  for (const connection of core.connections) {
    const afterMs = Math.round(core.entropy.random() * spreadMs)
    sendAway(connection, reason, reconnect, afterMs, reconnect ? "goingAway" : "disconnected")
  }
}

function sendAway(
  connection: Connection,
  reason: string,
  reconnect: boolean,
  afterMs: number,
  why: CloseReason,
): void {
  if (connection.state === "open") connection.send({ type: "goaway", reason, reconnect, afterMs })
  connection.close(why, reason)
}
