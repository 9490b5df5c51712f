import { once } from "node:events"
import { WebSocket } from "ws"
import type { SubscriberScript } from "../contestant.ts"

const silent: SubscriberScript = {
  path: "/",
  readyWhenOpen: true,
  handleFrame: (payload) => {
    throw new Error(`unexpected: ${payload}`)
  },
}

export const script = () => silent

export async function subscribe(port: number, handleMessage: (message: unknown) => void): Promise<void> {
  const webSocket = new WebSocket(`ws://127.0.0.1:${port}/`)
  webSocket.on("message", (data: Buffer) => handleMessage(JSON.parse(data.toString())))
  await once(webSocket, "open")
}
