import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import type { Link } from "../../hub/ports/link.ts"
import type { OriginCheck } from "../http/origin.ts"
import type { LinkLimits } from "../limits.ts"
import type { Links } from "../links.ts"
import { createAcceptor } from "./acceptor.ts"
import type { Compression } from "./compression.ts"
import { encodingOf } from "./encoding.ts"
import { WebSocketLink } from "./link.ts"
import { Peer, type PeerSurroundings } from "./peer.ts"
import { refuse } from "./refuse.ts"
import { chooseSubprotocol } from "./subprotocol.ts"
import type { UpgradeHandler } from "./upgrade.ts"
import { wireFormats } from "./wire-format.ts"

export interface HubUpgradeOptions extends LinkLimits {
  readonly connect: (link: Link, request: IncomingMessage) => HubConnection
  readonly links: Links
  readonly surroundings: PeerSurroundings
  readonly originRefusal: OriginCheck
  readonly compression: Compression | undefined
  readonly messageBytesMax: number
  readonly closeTimeoutMs: number
}

/**
 * How much larger than allowed a message may be for the sender to be told so by an error, which names the message; beyond,
 * the connection is closed.
 */
const HARD_LIMIT_FACTOR = 4

const supported = [...wireFormats.keys()]
const UNSUPPORTED = `The client has to offer one of the WebSocket subprotocols ${supported.join(", ")}.`

/** Takes the WebSockets that speak Holdfast's protocol. */
export function createHubUpgrade(options: HubUpgradeOptions): UpgradeHandler {
  const { compression, closeTimeoutMs, links } = options
  const payloadBytesMax = options.messageBytesMax * HARD_LIMIT_FACTOR
  const accept = createAcceptor({ payloadBytesMax, closeTimeoutMs, compression })

  return (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (links.refusal !== undefined) return refuse(socket, 503, links.refusal.message)
    const refusal = options.originRefusal(request.headers)
    if (refusal !== undefined) return refuse(socket, 403, refusal)
    const subprotocol = chooseSubprotocol(request, supported)
    const format = wireFormats.get(subprotocol ?? "")
    if (format === undefined) return refuse(socket, 400, UNSUPPORTED)
    accept(request, socket, head, subprotocol, (webSocket) => {
      const compressed = webSocket.extensions !== ""
      const encoding = encodingOf(format.codec, compressed ? compression : undefined)
      const link = new WebSocketLink(webSocket, socket, encoding, options)
      const connection = options.connect(link, request)
      link.open(new Peer(link, format, connection, options.surroundings))
      links.add(link)
    })
  }
}
