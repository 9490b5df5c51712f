import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { channel, contract } from "holdfast"
import { lmdbLog } from "holdfast/lmdb"
import { createHub, memoryLog } from "holdfast/server"
import { Server } from "socket.io"
import { z } from "zod"
import { PARAMS, PATTERN } from "../contestants/holdfast/app.ts"
import { start as startWs } from "../contestants/ws/server.ts"
import type { ServerName } from "./commands.ts"
import type { LargeMessage } from "./message.ts"

export interface StalledServer {
  readonly port: number
  readonly publish: (message: LargeMessage) => unknown
}

/** Long enough that nobody is cut while it is measured, for not answering a ping. */
const PATIENCE_MS = 3_600_000

type Log = NonNullable<Parameters<typeof createHub>[1]>["log"]

async function startHoldfast(log: Log, events: number): Promise<StalledServer> {
  const app = contract({
    [PATTERN]: channel({
      events: { said: z.object({ id: z.number().int(), text: z.string() }) },
      keep: { events, bytes: Number.POSITIVE_INFINITY },
    }),
  })
  const hub = createHub(app, {
    channels: { [PATTERN]: { subscribe: true } },
    limits: { heartbeatMs: PATIENCE_MS },
    ...(log !== undefined && { log }),
  })
  const { port } = await hub.listen({ port: 0 })
  const room = hub.channel(PATTERN, PARAMS)
  return { port, publish: (message) => room.publish("said", message) }
}

async function startSocketIo(): Promise<StalledServer> {
  const http = createServer()
  const io = new Server(http, { transports: ["websocket"], pingTimeout: PATIENCE_MS })
  io.on("connection", (socket) => void socket.join("lobby"))
  http.listen(0, "127.0.0.1")
  await once(http, "listening")
  return {
    port: (http.address() as AddressInfo).port,
    publish: (message) => io.emit("said", message),
  }
}

/** @param folder for those that keep what they publish there */
export const servers: Readonly<Record<ServerName, (folder: string) => Promise<StalledServer>>> = {
  "holdfast-memory": () => startHoldfast(memoryLog(), 1_000),
  "holdfast-lmdb": (folder) => startHoldfast(lmdbLog(folder), 1_000_000),
  ws: startWs,
  "socket.io": startSocketIo,
}
