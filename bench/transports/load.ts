import { setTimeout as sleep } from "node:timers/promises"
import { connect } from "holdfast/client"
import { WebSocket } from "ws"
import { nowUs } from "../process/now.ts"
import { serve } from "../process/worker.ts"
import type { app } from "./app.ts"
import type { TransportLoadCommands } from "./commands.ts"
import { poll, stream } from "./plain-http.ts"

// The process of the clients, each with one channel.

let delaysMs: number[] = []

const onEvent = (sentUs: number) => void delaysMs.push((nowUs() - sentUs) / 1_000)

serve<TransportLoadCommands>({
  connect: async ({ port, transport, clients, channels }) => {
    const one = async (index: number) => {
      const room = `${index % channels}`
      if (transport === "websocket") {
        const client = connect<typeof app>(`ws://127.0.0.1:${port}`, { WebSocket, transports: [transport] })
        const channel = client.channel("room/:room", { room })
        channel.on("said", ({ sentUs }) => onEvent(sentUs))
        await channel.ready()
        return
      }
      const session = `a-session-of-the-benchmark-${index}`
      await new Promise<void>((onLive) => {
        const plain = { port, channel: `room/${room}`, session, onLive, onEvent }
        if (transport === "poll") poll(plain)
        else stream(plain)
      })
    }
    // not more at once than a queue of connections takes
    for (let index = 0; index < clients; index += 50) {
      await Promise.all(Array.from({ length: Math.min(50, clients - index) }, (_, at) => one(index + at)))
    }
  },
  take: async ({ count }) => {
    while (delaysMs.length < count) await sleep(10)
    const taken = new Float64Array(delaysMs)
    delaysMs = []
    return taken
  },
})
