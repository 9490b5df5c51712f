// Plain WebSockets, text and binary, without Holdfast's protocol. Run it:  npx tsx examples/raw-echo.ts
import { contract } from "holdfast"
import { createHub } from "holdfast/server"

const hub = createHub(contract({}))

hub.raw("/echo", async (socket) => {
  for await (const message of socket) {
    // Waits while the peer is slower than we are; and while we wait, the peer is not read from.
    await socket.send(message)
  }
})

const { port } = await hub.listen({ port: Number(process.env.PORT ?? 8080) })
console.log(`The echo is at ws://localhost:${port}/echo`)
