import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { createHub, type Log } from "holdfast/server"
import { app } from "../contract.ts"
import { room, venue } from "../places.ts"
import { createMarket } from "./market.ts"
import { createPulse } from "./pulse.ts"

/** Long enough for the answer to go out before the line is cut. */
const DROP_AFTER_MS = 50

/** The playground's hub: a room, a market and a pulse, kept by `log`. Nobody has to sign in. */
export async function createPlayground(log: Log) {
  const hub = createHub(app, {
    log,
    authenticate: ({ request }: { request: IncomingMessage }) => ({ socket: request.socket }),
    // Small, so that a few seconds are enough to see a reader fall behind.
    limits: { highWaterBytes: 16 * 1024 },
    channels: {
      "room/:room": {
        subscribe: ({ params }) => params.room === room.room,
        events: { said: ({ data, member }) => ({ ...data, member }) },
        presence: ({ data }) => data,
        signals: { typing: ({ data }) => data },
      },
      "market/:venue": {
        subscribe: ({ params }) => params.venue === venue.venue,
        calls: { history: () => market.history() },
      },
      pulse: {
        subscribe: true,
        calls: {
          burst: async ({ input }) => {
            await pulse.burst(input.count)
            return { published: input.count }
          },
          readSlowly: ({ user, input }) => stall(user.socket, input.seconds * 1_000),
          dropEverybody: () => ({ connections: dropEverybody() }),
        },
      },
    },
  })

  const harbour = hub.channel("market/:venue", venue)
  const market = createMarket((symbol, quote) => {
    harbour.set("quote", symbol, quote).catch((error: unknown) => console.error("A quote was lost:", error))
  })
  const heart = hub.channel("pulse", {})
  const [newest] = await heart.history({ last: 1 })
  const pulse = createPulse((beat) => heart.publish("beat", beat), newest?.data)

  function dropEverybody(): number {
    const connections = [...hub.connections()]
    setTimeout(() => {
      for (const connection of connections) connection.drop()
    }, DROP_AFTER_MS)
    return connections.length
  }

  return {
    hub,
    close: async (): Promise<void> => {
      market.stop()
      pulse.stop()
      await hub.close()
    },
  }
}

/** Nothing leaves the socket while it is corked, so it fills up as that of a reader who has stalled. */
function stall(socket: Socket, ms: number): Promise<{ heldBytes: number }> {
  socket.cork()
  return new Promise((resolve) => {
    setTimeout(() => {
      const heldBytes = socket.writableLength
      socket.uncork()
      resolve({ heldBytes })
    }, ms)
  })
}
