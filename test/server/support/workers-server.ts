// A server on several workers:  workers-server.ts COUNT (REDIS_URL | memory | fail)
import { channel, contract } from "holdfast"
import { redisLog } from "holdfast/redis"
import { createHub, drainOnSignals, workers } from "holdfast/server"
import { z } from "zod"

const app = contract({
  "room/:room": channel({
    events: { said: z.object({ text: z.string() }) },
    calls: { pid: { input: z.null(), output: z.number() } },
  }),
})

const [count = "1", log = "memory"] = process.argv.slice(2)

await workers(Number(count), async () => {
  if (log === "fail") throw new Error("no configuration")
  const hub = createHub(app, {
    channels: {
      "room/:room": {
        subscribe: true,
        events: { said: ({ data }) => data },
        calls: { pid: () => process.pid },
      },
    },
    ...(log.startsWith("redis") && { log: redisLog(log) }),
  })
  const { url } = await hub.listen({ port: 0 })
  drainOnSignals(hub, { spreadMs: 0 })
  console.log(`listening at ${url}`)
})
console.log(`started ${process.pid}`)
