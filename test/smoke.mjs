// Whether the built package works on this version of Node: a hub and a client, by the public names, over a real socket.
import assert from "node:assert/strict"
import { channel, contract } from "holdfast"
import { connect } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import { createHub } from "holdfast/server"
import { WebSocket } from "ws"
import { z } from "zod"

const app = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }) },
    state: { topic: z.string() },
    calls: { double: { input: z.number(), output: z.number() } },
  }),
})

const hub = createHub(app, {
  channels: {
    "room/:room": {
      subscribe: true,
      events: { said: ({ data }) => data },
      state: { topic: ({ data }) => data },
      calls: { double: ({ input }) => input * 2 },
    },
  },
})
const { url } = await hub.listen({ port: 0 })

for (const codec of [undefined, msgpack]) {
  /** @type {import("holdfast/client").Client<typeof app>} */
  const client = connect(url, { WebSocket, ...(codec === undefined ? {} : { codec }) })
  const room = client.channel("room/:room", { room: codec?.name ?? "json" })
  const heard = new Promise((resolve) => {
    room.on("said", resolve)
  })
  await room.ready()
  const { offset } = await room.publish("said", { text: "hello" })
  assert.deepEqual(await heard, { text: "hello" })
  assert.equal(offset, 1)
  await room.state("topic").set("now", "smoke")
  assert.equal(await room.call("double", 21), 42)
  assert.deepEqual(
    await hub.channel("room/:room", { room: codec?.name ?? "json" }).state("topic"),
    new Map([["now", "smoke"]]),
  )
  client.close()
}
await hub.close()
console.log(`holdfast works on Node ${process.versions.node}`)
