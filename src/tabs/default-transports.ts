import { httpTransport } from "../client/http.ts"
import { platformWebSocket } from "../client/platform.ts"
import type { Transport } from "../client/transport.ts"
import { webSocketTransport } from "../client/websocket.ts"
import type { Codec } from "../protocol/codec.ts"
import { subprotocols } from "../protocol/message.ts"

/** How `connect` reaches a server unless it is told otherwise, the best first. */
export function defaultTransports(codec: Codec): readonly Transport[] {
  const WebSocket = platformWebSocket()
  const plain = [httpTransport("sse", codec), httpTransport("poll", codec)]
  return WebSocket === undefined ? plain : [webSocketTransport(WebSocket, subprotocols[codec.name]), ...plain]
}
