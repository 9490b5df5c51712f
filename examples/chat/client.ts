// A chat client for the terminal. Run two:  npx tsx examples/chat/client.ts Ada
import { createInterface } from "node:readline"
import { connect } from "holdfast/client"
import { WebSocket } from "ws"
import type { app } from "./contract.ts"

const [name = "anonymous", url = "ws://localhost:8080"] = process.argv.slice(2)

const client = connect<typeof app>(url, { token: name, WebSocket })
client.on("status", (status) => console.log(`(${status})`))
client.on("error", (error) => console.error(`(${String(error)})`))

const room = client.channel("room/:room", { room: "lobby" }, { history: { last: 20 } })
room.on("said", ({ text, by }) => console.log(`${by}: ${text}`))
room.onGap(({ reason }) => console.log(`(some messages are missing: ${reason})`))
room.presence.onChange((members) => {
  console.log(`(here: ${[...members.values()].map((member) => member.name).join(", ")})`)
})
await room.presence.enter({ name })

for await (const text of createInterface({ input: process.stdin })) {
  // Resolves when the server has kept it, reconnects included; rejects when it was refused.
  if (text.trim() !== "") await room.publish("said", { text })
}
client.close()
