import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { Server } from "socket.io"
import type { ContestantServer } from "../contestant.ts"

/** Socket.IO as its defaults make it, but for the transport: WebSocket alone, so that no upgrade disturbs. */
export async function start(): Promise<ContestantServer> {
  const http = createServer()
  const io = new Server(http, { transports: ["websocket"] })
  io.on("connection", (socket) => void socket.join("lobby"))
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  return {
    port: (http.address() as AddressInfo).port,
    publish: (message) => io.emit("said", message),
  }
}
