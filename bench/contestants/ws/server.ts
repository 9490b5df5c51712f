import type { AddressInfo } from "node:net"
import { type WebSocket, WebSocketServer } from "ws"
import type { ContestantServer } from "../contestant.ts"

/** What most people write on the day they need to broadcast: a set of clients, and a loop that sends to each. */
export async function start(): Promise<ContestantServer> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, clientTracking: false })
  const room = new Set<WebSocket>()
  server.on("connection", (client) => {
    room.add(client)
    client.on("error", () => client.terminate())
    client.on("close", () => room.delete(client))
  })
  await new Promise((resolve) => server.once("listening", resolve))
  return {
    port: (server.address() as AddressInfo).port,
    publish: (message) => {
      const text = JSON.stringify(message)
      for (const client of room) client.send(text)
    },
  }
}
