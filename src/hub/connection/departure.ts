import type { CloseReason } from "../../protocol/close.ts"
import type { Connection } from "./connection.ts"
import type { Connections } from "./connections.ts"

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
  /** Those who come back do so spread over this time, in ms. Each is served until it has, or for `handoverMs` more. */
  readonly spreadMs: number
}

export function* connectedClients<User>(connections: Connections): Generator<ConnectedClient<User>> {
  for (const connection of connections) {
    if (connection.state !== "open") continue
    const { id, member } = connection
    yield {
      id,
      member,
      user: connection.user as User,
      close: (reason) => sendAway(connection, reason, false, "disconnected"),
      drop: () => connection.outlet.link.destroy(),
    }
  }
}

/** Ends every connection; the clients do not come back by themselves. */
export function disconnectAll(connections: Connections, reason: string): void {
  for (const connection of connections) sendAway(connection, reason, false, "disconnected")
}

/** Closes every connection at once; the clients come back by themselves. */
export function closeAll(connections: Connections, reason: string): void {
  for (const connection of connections) sendAway(connection, reason, true, "goingAway")
}

export function sendAway(connection: Connection, reason: string, reconnect: boolean, why: CloseReason): void {
  if (connection.state === "open") connection.send({ type: "goaway", reason, reconnect, afterMs: 0 })
  connection.close(why, reason)
}
