import { parseArgs } from "node:util"

/** What the playground's server is started with. */
export interface PlaygroundOptions {
  readonly port: number
  readonly host: string
  /** Where it keeps what happens, unless in a Redis. */
  readonly folder: string
  readonly redisUrl: string | undefined
  readonly workers: number
  /** What this node is called, if it is one of several. */
  readonly node: string | undefined
  /** Over how long it leads its clients to other nodes when it ends, in ms. */
  readonly spreadMs: number
}

const USAGE = `npm start -- [--redis URL] [--workers N] [--node NAME] [--spread-ms N]
  --redis URL     keep what happens in this Redis, which other nodes may share
  --workers N     run N processes on the port; they need a --redis
  --node NAME     what this node is called on the page
  --spread-ms N   over how long clients are led to other nodes at the end (1000)
PORT, HOST and HOLDFAST_DATA are taken from the environment.`

/** Ends the process when they cannot be understood, and when nothing but them was asked for. */
export function readOptions(args: string[], env: NodeJS.ProcessEnv): PlaygroundOptions {
  try {
    const { values } = parseArgs({
      args,
      options: {
        redis: { type: "string" },
        workers: { type: "string", default: "1" },
        node: { type: "string" },
        "spread-ms": { type: "string", default: "1000" },
        help: { type: "boolean", short: "h", default: false },
      },
    })
    if (values.help) {
      console.log(USAGE)
      process.exit(0)
    }
    const workers = Number(values.workers)
    if (!Number.isSafeInteger(workers) || workers < 1)
      throw new Error(`--workers ${values.workers} is no number from 1.`)
    if (workers > 1 && values.redis === undefined) {
      throw new Error("Several workers need a log that they share: --redis redis://localhost:6379")
    }
    const port = Number(env.PORT || 8080)
    if (!(port >= 0 && port < 65_536)) throw new Error(`PORT=${env.PORT} is no number from 0 to 65535.`)
    const spreadMs = Number(values["spread-ms"])
    if (!(spreadMs >= 0)) throw new Error(`--spread-ms ${values["spread-ms"]} is no number from 0.`)
    return {
      port,
      // There is a button that cuts everybody's line, and nobody has to sign in: not to be shown to a whole network unasked.
      host: env.HOST || "127.0.0.1",
      // What was said is there again after a restart, and after a crash.
      folder: env.HOLDFAST_DATA || ".holdfast",
      redisUrl: values.redis,
      workers,
      node: values.node,
      spreadMs,
    }
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`)
    process.exit(1)
  }
}
