// One node, in a process of its own so that bad things can happen to it:  node.ts REDIS-URL PORT [defect]
import { redisLog } from "holdfast/redis"
import { createHub, drainOnSignals } from "holdfast/server"
import { app, PATTERN } from "./app.ts"
import { type Defect, defective } from "./defects.ts"

const [engineUrl = "", port = "0", defect] = process.argv.slice(2)

// Troubles are what is wanted here, and not news.
const quiet = () => undefined
// Faster than in earnest, so that more happens in an hour: when a silent engine or client is taken for dead.
const log = redisLog(engineUrl, { heartbeatMs: 1_000, answerTimeoutMs: 1_000, onError: quiet })

const hub = createHub(app, {
  channels: {
    [PATTERN]: {
      subscribe: true,
      events: { said: ({ data }) => data },
      state: { score: ({ data }) => data },
      presence: ({ data }) => data,
    },
  },
  log: defect === undefined ? log : defective(log, defect as Defect),
  limits: { heartbeatMs: 2_000 },
  logger: { warn: quiet, error: quiet },
})

const { port: actualPort } = await hub.listen({ port: Number(port) })
console.log(`listening at ${actualPort}`)
// the engine may be away meanwhile, and the machine busy
drainOnSignals(hub, { spreadMs: 500, deadlineMs: 120_000 })
