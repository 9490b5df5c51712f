import { type Client, connect } from "holdfast/client"
import type { app } from "../contract.ts"
import { createBreakableSockets } from "./breakable-socket.ts"

export type PlaygroundClient = Client<typeof app>

export type Connection = ReturnType<typeof connectToPlayground>

/** The page's one connection, and how to break it. */
export function connectToPlayground() {
  const sockets = createBreakableSockets()
  const client = connect<typeof app>(location.origin, {
    WebSocket: sockets.WebSocket,
    // The only one that this page can break.
    transports: ["websocket"],
    // Nobody who plays waits for long; and one page is no stampede.
    backoff: { minMs: 250, maxMs: 3_000 },
  })
  // The status says all that a person needs: that it does not work right now, and when it is tried again.
  client.on("error", () => undefined)
  // A tab that is closed leaves the room at once.
  addEventListener("pagehide", () => client.close())
  /** Cuts the line and lets nothing out for a while; then the network is back, as a phone's out of a tunnel. */
  const goOffline = (ms: number): void => {
    sockets.goOffline(ms)
    setTimeout(() => {
      if (sockets.offlineForMs() === 0) client.reconnect()
    }, ms + 10)
  }
  return { client, cut: sockets.cut, goOffline, offlineForMs: sockets.offlineForMs }
}
