import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { createHub } from "holdfast/server"
import { expect, onTestFinished, test } from "vitest"
import { WebSocket } from "ws"
import { z } from "zod"
import { recordingLogger } from "./support/hubs.ts"

const app = contract({ "room/:room": channel({ events: { said: z.string() } }) })
const isSlow = ({ params }: { readonly params: { readonly room: string } }) => params.room === "slow"
const never = () => new Promise<never>(() => undefined)

async function startClient(transport: "websocket" | "sse" | "poll") {
  const hub = createHub(app, {
    channels: {
      "room/:room": {
        subscribe: (context) => (isSlow(context) ? never() : true),
        events: { said: (context) => (isSlow(context) ? never() : context.data) },
      },
    },
    logger: recordingLogger(),
    limits: { handlerTimeoutMs: 3_600_000 },
  })
  onTestFinished(() => hub.close())
  const { url } = await hub.listen({ port: 0 })
  const client = connect<typeof app>(url, { WebSocket, transports: [transport] })
  onTestFinished(() => client.close())
  return client
}

test.each(["websocket", "sse", "poll"] as const)(
  "a handler that never returns delays no other channel over %s",
  async (transport) => {
    const client = await startClient(transport)
    const slow = client.channel("room/:room", { room: "slow" })
    const quick = client.channel("room/:room", { room: "quick" })
    const heard: string[] = []
    quick.on("said", (text) => heard.push(text))
    slow.subscribe()
    slow.publish("said", "never").catch(() => undefined)
    await quick.publish("said", "one")
    await quick.publish("said", "two")
    await expect.poll(() => heard.at(-1)).toBe("two")
    expect(client.pending).toBe(1)
  },
)
