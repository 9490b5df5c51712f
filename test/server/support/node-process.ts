// A node of several:  node-process.ts REDIS-URL PREFIX
import { channel, contract } from "holdfast"
import { redisLog } from "holdfast/redis"
import { createHub } from "holdfast/server"
import { z } from "zod"

const [target = "", prefix = ""] = process.argv.slice(2)
const app = contract({ "room/:room": channel({ presence: z.object({ name: z.string() }) }) })
const hub = createHub(app, {
  log: redisLog(target, { prefix }),
  channels: { "room/:room": { subscribe: true, presence: ({ data }) => data } },
})
const { url } = await hub.listen({ port: 0 })
console.log(`listening at ${url}`)
