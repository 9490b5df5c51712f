import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { setTimeout as sleep } from "node:timers/promises"
import { createAdapter } from "@socket.io/redis-streams-adapter"
import { redisLog } from "holdfast/redis"
import { createHub } from "holdfast/server"
import { createClient } from "redis"
import { Server } from "socket.io"
import type { ContestantServer } from "../contestants/contestant.ts"
import { app, PARAMS, PATTERN } from "../contestants/holdfast/app.ts"
import type { ContenderName } from "./commands.ts"

/** The server of the other benchmarks, with another log. */
async function startHoldfast(engineUrl: string): Promise<ContestantServer> {
  const hub = createHub(app, { channels: { [PATTERN]: { subscribe: true } }, log: redisLog(engineUrl) })
  const { port } = await hub.listen({ port: 0 })
  const room = hub.channel(PATTERN, PARAMS)
  return { port, publish: (message) => room.publish("said", message) }
}

/** As its documentation has it, with every default but the transport: WebSocket alone, so that no upgrade disturbs. */
async function startSocketIo(engineUrl: string): Promise<ContestantServer> {
  const client = createClient({ url: engineUrl })
  await client.connect()
  const readers = await blockedClients(client)
  const http = createServer()
  const io = new Server(http, { transports: ["websocket"], adapter: createAdapter(client) })
  io.on("connection", (socket) => void socket.join("lobby"))
  // It reads from the newest entry on, whichever that is then. It does not say when, but Redis does.
  while ((await blockedClients(client)) === readers) await sleep(5)
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  return {
    port: (http.address() as AddressInfo).port,
    publish: (message) => io.emit("said", message),
  }
}

async function blockedClients(client: { readonly info: (section: string) => Promise<string> }) {
  return Number(/blocked_clients:(\d+)/.exec(await client.info("clients"))?.[1])
}

export const nodes: Readonly<Record<ContenderName, (engineUrl: string) => Promise<ContestantServer>>> = {
  "holdfast-json": startHoldfast,
  "holdfast-msgpack": startHoldfast,
  "socket.io": startSocketIo,
}
