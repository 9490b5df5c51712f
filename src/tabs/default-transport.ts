import { platformWebSocket } from "../client/platform.ts"
import type { Transport } from "../client/transport.ts"
import { webSocketTransport } from "../client/websocket.ts"
import type { Codec } from "../protocol/codec.ts"
import { subprotocols } from "../protocol/message.ts"

/** How `connect` reaches a server unless it is told otherwise. Looks for what it needs only when a line is opened. */
export function defaultTransport(codec: Pick<Codec, "name">): Transport {
  return {
    open: (url, events) => {
      const WebSocket = platformWebSocket()
      if (WebSocket === undefined) throw new TypeError("There is no WebSocket here")
      return webSocketTransport(WebSocket, subprotocols[codec.name]).open(url, events)
    },
  }
}
