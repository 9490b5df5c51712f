import type { CloseReason } from "../../protocol/close.ts"
import type { Core } from "../core.ts"
import type { Connection } from "./connection.ts"
import { handOverAll } from "./drain.ts"

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

export function* connectedClients<User>(core: Core): Generator<ConnectedClient<User>> {
  for (const connection of core.connections) {
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

export function disconnectAll(core: Core, { reason, reconnect, spreadMs }: Departure): void {
  if (reconnect) handOverAll(core, reason, spreadMs)
  else for (const connection of core.connections) sendAway(connection, reason, false, "disconnected")
}

/** Closes every connection at once; the clients come back by themselves. */
export function closeAll(core: Core, reason: string): void {
  for (const connection of core.connections) sendAway(connection, reason, true, "goingAway")
}

export function sendAway(connection: Connection, reason: string, reconnect: boolean, why: CloseReason): void {
  if (connection.state === "open") connection.send({ type: "goaway", reason, reconnect, afterMs: 0 })
  connection.close(why, reason)
}
