import { type Client, connect } from "holdfast/client"
import { WebSocket } from "ws"
import { nowUs } from "../process/now.ts"
import { serve } from "../process/worker.ts"
import type { app } from "./app.ts"
import type { TransportLoadCommands } from "./commands.ts"

// The process of the clients: real ones, each with one channel.

const clients: Client<typeof app>[] = []
let delaysMs: number[] = []

serve<TransportLoadCommands>({
  connect: async ({ port, transport, clients: count, channels }) => {
    for (let index = 0; index < count; index++) {
      const client = connect<typeof app>(`ws://127.0.0.1:${port}`, { WebSocket, transports: [transport] })
      client.on("error", (error) => console.error(`client ${index}: ${error}`))
      const room = client.channel("room/:room", { room: `${index % channels}` })
      room.on("said", ({ sentUs }) => delaysMs.push((nowUs() - sentUs) / 1_000))
      clients.push(client)
      // not more at once than a queue of connections takes
      if (index % 50 === 49) await room.ready()
    }
    await Promise.all(
      clients.map((client, index) => client.channel("room/:room", { room: `${index % channels}` }).ready()),
    )
  },
  take: () => {
    const taken = new Float64Array(delaysMs)
    delaysMs = []
    return taken
  },
})
