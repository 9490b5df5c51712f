import { once } from "node:events"
import { io } from "socket.io-client"
import { clientFrame } from "../../load/web-socket-frames.ts"
import type { ScriptStep, SubscriberScript } from "../contestant.ts"

// https://socket.io/docs/v4/engine-io-protocol and socket-io-protocol: packet types are a character each
const CONNECT = clientFrame("40")
const PONG = clientFrame("3")

const engine: SubscriberScript = {
  path: "/socket.io/?EIO=4&transport=websocket",
  handleFrame: (payload): ScriptStep => {
    const packet = payload.toString()
    if (packet.startsWith("0{")) return { reply: CONNECT }
    if (packet.startsWith("40{")) return { ready: true }
    if (packet === "2") return { reply: PONG }
    throw new Error(`unexpected: ${packet}`)
  },
}

export const script = () => engine

export async function subscribe(port: number, handleMessage: (message: unknown) => void): Promise<void> {
  const socket = io(`http://127.0.0.1:${port}`, { transports: ["websocket"], reconnection: false })
  socket.on("said", handleMessage)
  await once(socket as unknown as NodeJS.EventEmitter, "connect")
}
