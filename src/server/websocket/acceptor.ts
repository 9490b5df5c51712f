import type { IncomingMessage } from "node:http"
import type { Duplex } from "node:stream"
import { WebSocket, WebSocketServer } from "ws"
import { asksForSmallerWindow, type Compression, handshakeCompression } from "./compression.ts"
import { leaveErrors } from "./refuse.ts"

export interface AcceptorOptions {
  /** What the receiver takes in one message, in bytes; more closes the connection (1009). */
  readonly payloadBytesMax: number
  /** How long a closing handshake may take before the line is cut. */
  readonly closeTimeoutMs: number
  /** Whether compression is negotiated with clients that offer it. */
  readonly compression: Compression | undefined
}

/** Completes handshakes that were checked before. Bad ones are answered by `ws` and never reach `then`. */
export type Acceptor = (
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  subprotocol: string | undefined,
  then: (webSocket: WebSocket) => void,
) => void

export function createAcceptor({ payloadBytesMax, closeTimeoutMs, compression }: AcceptorOptions): Acceptor {
  let chosen: string | undefined
  const options = {
    noServer: true,
    clientTracking: false,
    maxPayload: payloadBytesMax,
    perMessageDeflate: compression === undefined ? false : handshakeCompression,
    handleProtocols: () => chosen ?? false,
    WebSocket: namingItsReasons(payloadBytesMax),
    closeTimeout: closeTimeoutMs,
  } as const
  const server = new WebSocketServer(options)
  return (request, socket, head, subprotocol, then) => {
    const extensions = request.headers["sec-websocket-extensions"]
    if (extensions !== undefined && asksForSmallerWindow(extensions)) {
      delete request.headers["sec-websocket-extensions"]
    }
    // handleUpgrade runs through in this turn, and so asks for the subprotocol of this request.
    chosen = subprotocol
    server.handleUpgrade(request, socket, head, (webSocket) => {
      leaveErrors(socket)
      then(webSocket)
    })
  }
}

/**
 * A WebSocket that says why it closes, also where `ws` closes by itself and gives only the code. The `WebSocket` option is the
 * door that `ws` has for this; it takes a subclass.
 */
function namingItsReasons(payloadBytesMax: number): typeof WebSocket {
  const reasons: Readonly<Record<number, string>> = {
    1002: "the frame breaks RFC 6455",
    1007: "the text is not UTF-8",
    1008: "the message came in too many pieces",
    1009: `a message may have at most ${payloadBytesMax} bytes`,
  }
  return class extends WebSocket {
    override close(code?: number, reason?: string | Buffer): void {
      super.close(code, reason ?? (code === undefined ? undefined : reasons[code]))
    }
  }
}
