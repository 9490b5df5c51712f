import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Link } from "../../hub/ports/link.ts"
import type { SinkOwner } from "./exchange.ts"

/** The sending side of the short connection that a request stands for. */
export interface HttpLink extends Link, SinkOwner {
  /** Starts when the hub has the connection. */
  readonly open: (connection: HubConnection) => void
}
