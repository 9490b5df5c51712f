import type { IncomingMessage } from "node:http"
import type { Clock } from "../../hub/ports/clock.ts"
import type { Logger } from "../../hub/ports/logger.ts"
import { closeCodes } from "../../protocol/close.ts"
import type { OriginCheck } from "../http/origin.ts"
import type { LinkLimits } from "../limits.ts"
import type { Links } from "../links.ts"
import { createAcceptor } from "../websocket/acceptor.ts"
import { WebSocketLink } from "../websocket/link.ts"
import { refuse } from "../websocket/refuse.ts"
import { chooseSubprotocol } from "../websocket/subprotocol.ts"
import type { UpgradeHandler } from "../websocket/upgrade.ts"
import type { Heartbeat } from "./heartbeat.ts"
import { RawConnection, type RawSocket } from "./raw-socket.ts"

/** Is given each socket, with the request that it began with. What it throws is logged and closes the socket (1011). */
export type RawHandler = (socket: RawSocket, request: IncomingMessage) => unknown

export interface RawOptions {
  /** Whether a request is let in. False, and throwing, answer 401. Default: everybody is. */
  readonly authorize?: ((request: IncomingMessage) => boolean | Promise<boolean>) | undefined
  /** What the server speaks here; a client has to offer one of them. Default: none, and offers are ignored. */
  readonly subprotocols?: readonly string[] | undefined
}

/** What all raw paths of a hub share. */
export interface RawSurroundings extends LinkLimits {
  readonly links: Links
  readonly heartbeat: Heartbeat
  readonly clock: Clock
  readonly logger: Logger
  readonly originRefusal: OriginCheck
  readonly messageBytesMax: number
  readonly closeTimeoutMs: number
  readonly authorizeTimeoutMs: number
  readonly rawInboxMessagesMax: number
  readonly rawUnsentBytesMax: number
}

/** Takes plain WebSockets. */
export function createRawUpgrade(
  handler: RawHandler,
  options: RawOptions,
  surroundings: RawSurroundings,
): UpgradeHandler {
  const { links, closeTimeoutMs, messageBytesMax, originRefusal } = surroundings
  const accept = createAcceptor({ payloadBytesMax: messageBytesMax, closeTimeoutMs, compression: undefined })
  const start = createStart(handler, surroundings)
  const { subprotocols, authorize } = options

  return (request, socket, head) => {
    const refusal = originRefusal(request.headers)
    if (refusal !== undefined) return refuse(socket, 403, refusal)
    const subprotocol = chooseSubprotocol(request, subprotocols ?? [])
    if (subprotocols !== undefined && subprotocol === undefined) {
      const known = subprotocols.join(", ")
      return refuse(socket, 400, `The client has to offer one of the WebSocket subprotocols ${known}.`)
    }
    const open = () => {
      if (links.refusal !== undefined) return refuse(socket, 503, links.refusal.message)
      accept(request, socket, head, subprotocol, (webSocket) => {
        start(new WebSocketLink(webSocket, socket, undefined, surroundings), request, webSocket)
      })
    }
    if (authorize === undefined) return open()
    void isAuthorized(authorize, request, surroundings).then((authorized) => {
      if (authorized) open()
      else refuse(socket, 401, "The server refused the request.")
    })
  }
}

function createStart(handler: RawHandler, surroundings: RawSurroundings) {
  const { heartbeat, links, logger } = surroundings
  const socketOptions = {
    ...surroundings,
    onGone: (connection: RawConnection, link: WebSocketLink<undefined>) => {
      heartbeat.delete(connection)
      links.delete(link)
    },
  }
  return (
    link: WebSocketLink<undefined>,
    request: IncomingMessage,
    { protocol }: { readonly protocol: string },
  ) => {
    const connection = new RawConnection(link, protocol, socketOptions)
    link.open(connection)
    links.addRaw(link)
    heartbeat.add(connection)
    const handle = async () => handler(connection, request)
    handle().catch((error: unknown) => {
      logger.error("the handler of a raw socket failed", { error })
      connection.close(closeCodes.internal.code, "the server's handler failed")
    })
  }
}

async function isAuthorized(
  authorize: NonNullable<RawOptions["authorize"]>,
  request: IncomingMessage,
  { clock, logger, authorizeTimeoutMs }: RawSurroundings,
): Promise<boolean> {
  return new Promise((resolve) => {
    const cancel = clock.after(authorizeTimeoutMs, () => resolve(false))
    const ask = async () => authorize(request)
    ask()
      .catch((error: unknown) => {
        logger.warn("a raw socket was refused", { error })
        return false
      })
      .then((authorized) => {
        cancel()
        resolve(authorized === true)
      })
  })
}
