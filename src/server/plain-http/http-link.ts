import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Link } from "../../hub/ports/link.ts"
import type { ReplyOwner } from "./reply.ts"

/** The sending side of the short connection that a request stands for. */
export interface HttpLink extends Link, ReplyOwner {
  /** Goes on when the hub knows the connection. */
  readonly open: (connection: HubConnection) => void
}
