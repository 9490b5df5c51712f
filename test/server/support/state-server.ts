// A server that writes a state and events by turns when a client asks for it
import { createHub } from "holdfast/server"
import { app } from "./state-app.ts"

const room = (name: string) => hub.channel("room/:name", { name })
const feed = (name: string) => hub.channel("feed/:name", { name })
const hub = createHub(app, {
  limits: { pageEntriesMax: 8 },
  channels: {
    "room/:name": {
      subscribe: true,
      calls: {
        fill: async ({ params, input }) => {
          const { name } = params
          for (let n = 0; n < input; n++) {
            await room(name).set("s", "k", n)
            await room(name).set("s", `k${n}`, n)
            await room(name).publish("e", n)
          }
          return null
        },
      },
    },
    "feed/:name": {
      subscribe: true,
      calls: {
        fill: async ({ params, input }) => {
          for (let n = 0; n < input; n++) await feed(params.name).publish("e", n)
          return null
        },
      },
    },
  },
})
const { url } = await hub.listen({ port: 0 })
console.log(`listening at ${url}`)
