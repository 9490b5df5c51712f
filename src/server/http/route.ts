import type { Clock } from "../../hub/ports/clock.ts"
import type { Entropy } from "../../hub/ports/entropy.ts"
import type { Hello } from "../../protocol/message.ts"
import type { ServerLimits } from "../limits.ts"
import type { HttpRequest } from "./exchange.ts"
import type { HttpLink } from "./http-link.ts"
import type { Reply } from "./reply.ts"

/** What a request asks the hub for: a connection that begins with `hello`, and is over with the response. */
export interface ShortConnection {
  readonly hello: Hello
  readonly link: (reply: Reply) => HttpLink
}

export interface RoutePorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly limits: ServerLimits
}

/** What one of the hub's addresses makes of a request. */
export interface Route {
  readonly methods: readonly string[]
  /** @throws HoldfastError that the request is refused with */
  readonly read: (request: HttpRequest, ports: RoutePorts) => ShortConnection | Promise<ShortConnection>
}
