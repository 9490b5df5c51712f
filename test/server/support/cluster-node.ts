// One of several nodes on a Redis, in a process of its own:  cluster-node.ts REDIS_URL PREFIX PORT
import { redisLog } from "holdfast/redis"
import { createHub, drainOnSignals } from "holdfast/server"
import { app } from "./rolling-app.ts"

const [redisUrl = "", prefix = "", port = "0"] = process.argv.slice(2)

const hub = createHub(app, {
  channels: {
    "room/:room": {
      subscribe: true,
      events: { said: ({ data }) => data },
      presence: ({ data }) => data,
    },
  },
  log: redisLog(redisUrl, { prefix }),
  // On a busy machine clients may take long to go elsewhere.
  limits: { handoverMs: 60_000 },
})
const listening = await hub.listen({ port: Number(port) })
drainOnSignals(hub, { spreadMs: 1_000, deadlineMs: 300_000 })
console.log(`listening at ${listening.port}`)
