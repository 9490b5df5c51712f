import type { HubConnection } from "../../hub/hub-connection.ts"
import type { Link } from "../../hub/link.ts"
import type { ReplyOwner } from "./reply.ts"

/** The sending side of the short connection that a request stands for. */
export interface HttpLink extends Link, ReplyOwner {
  /** Goes on when the hub knows the connection. */
  readonly open: (connection: HubConnection) => void
}
