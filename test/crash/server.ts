// A server on a durable log, in a process of its own so that it can be killed:  server.ts FOLDER PORT [defect]
import { formatName } from "holdfast"
import { lmdbLog } from "holdfast/lmdb"
import { createHub } from "holdfast/server"
import { app, PARAMS, PATTERN } from "./app.ts"
import { acknowledgingEarly } from "./early-log.ts"

const [folder = "", port = "0", defect] = process.argv.slice(2)

const durable = lmdbLog(folder)
const log =
  defect === "acknowledges early" ? await acknowledgingEarly(durable, formatName(PATTERN, PARAMS)) : durable

const hub = createHub(app, {
  channels: {
    [PATTERN]: {
      subscribe: true,
      events: { said: ({ data }) => data },
      presence: ({ data }) => data,
    },
  },
  log,
  // How long those whom the crash left behind may take to come back: short, but enough on a busy machine.
  limits: { presenceGraceMs: 4_000, presenceLeaseMs: 4_000 },
})

const { port: actualPort } = await hub.listen({ port: Number(port) })
console.log(`listening at ${actualPort}`)

process.once("SIGTERM", () => hub.close())
