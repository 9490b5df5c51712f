import type { AddressInfo } from "node:net"
import { createServer, connect as dial, type Socket } from "node:net"

/** Passes plain HTTP on, and swallows WebSockets: what comes from the server, and is not let through, is lost. */
export interface WebSocketTrap {
  readonly port: number
  /** How many WebSockets were swallowed. */
  readonly swallowed: () => number
  /** Ends all connections. */
  readonly cut: () => void
  readonly close: () => Promise<void>
}

/** `lets` is what of a WebSocket still comes through from the server: nothing, or the handshake. */
export async function startWebSocketTrap(
  target: number,
  lets: "nothing" | "handshake",
): Promise<WebSocketTrap> {
  const sockets = new Set<Socket>()
  let swallowed = 0
  const listener = createServer((client) => {
    const server = dial(target, "127.0.0.1")
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      sockets.add(socket)
      socket.on("error", () => undefined)
      socket.on("close", () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    client.once("data", (head) => {
      server.write(head)
      client.pipe(server)
      if (!/^upgrade: websocket/im.test(head.toString("latin1"))) {
        server.pipe(client)
        return
      }
      swallowed++
      if (lets === "handshake") server.once("data", (answer) => client.write(answer))
      server.resume()
    })
  })
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    port: (listener.address() as AddressInfo).port,
    swallowed: () => swallowed,
    cut,
    async close() {
      const closed = new Promise<void>((resolve) => listener.close(() => resolve()))
      cut()
      await closed
    },
  }
}
