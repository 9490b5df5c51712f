import type { IncomingMessage } from "node:http"
import type { Socket } from "node:net"
import { createHub, HoldfastError, type Log } from "holdfast/server"
import { app } from "../contract.ts"
import { room, venue } from "../places.ts"
import { createAudience } from "./audience.ts"
import { createMarket } from "./market.ts"
import { createPulse } from "./pulse.ts"

/** Long enough for the answer to go out before the line is cut. */
const DROP_AFTER_MS = 50

/**
 * The playground's hub: a room, a market and a pulse, kept by `log`. Nobody has to sign in.
 * @param node what this node is called, if it is one of several
 */
export function createPlayground(log: Log, node?: string) {
  const hub = createHub(app, {
    log,
    authenticate: ({ request }: { request: IncomingMessage }) => {
      audience.handleConnection()
      return { socket: request.socket }
    },
    // Small, so that a few seconds are enough to see a reader fall behind, and to end when there is no other node.
    limits: { highWaterBytes: 16 * 1024, handoverMs: 2_000 },
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
          stopReading: ({ user, input }) => stall(user.socket, input.seconds * 1_000),
          node: () => ({ name: node ?? null }),
          dropEverybody: () => ({ connections: dropEverybody() }),
        },
      },
    },
  })

  const harbour = hub.channel("market/:venue", venue)
  const heart = hub.channel("pulse", {})
  const pulse = createPulse({
    newest: async () => (await heart.history({ last: 1 }))[0],
    publish: (beat) => heart.publish("beat", beat, { idempotencyKey: `${beat.number}` }).catch(leaveToOther),
    complain,
  })
  const market = createMarket({
    isLeading: pulse.isLeading,
    publish: (symbol, quote) => {
      harbour.set("quote", symbol, quote).catch((error: unknown) => complain("A quote was lost", error))
    },
    quotes: () => harbour.state("quote"),
    complain,
  })

  function dropEverybody(): number {
    const connections = [...hub.connections()]
    setTimeout(() => {
      for (const connection of connections) connection.drop()
    }, DROP_AFTER_MS)
    return connections.length
  }

  const audience = createAudience({
    hasConnections: () => !hub.connections()[Symbol.iterator]().next().done,
    start: () => {
      pulse.start()
      market.start()
    },
    stop: () => {
      market.stop()
      pulse.stop()
    },
  })
  return { hub, stop: audience.stop }
}

/** Two nodes have begun to count at the same moment: the log has taken one's first beat, and both count on from it. */
function leaveToOther(error: unknown): void {
  if (!(error instanceof HoldfastError && error.code === "idempotency_conflict")) throw error
}

/**
 * That the log is away is told by the log itself, once, and would be told here seventy times a second. That it is closed while
 * something is under way is how the playground ends.
 */
function complain(what: string, error: unknown): void {
  if (error instanceof HoldfastError && ["log_unavailable", "closed"].includes(error.code)) return
  console.error(`${what}:`, error)
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
