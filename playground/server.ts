import cluster from "node:cluster"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { lmdbLog } from "holdfast/lmdb"
import { redisLog } from "holdfast/redis"
import { drainOnSignals, type Log, workers } from "holdfast/server"
import { createPlayground } from "./server/hub.ts"
import { readOptions } from "./server/options.ts"
import { staticFiles } from "./server/static-files.ts"

const options = readOptions(process.argv.slice(2), process.env)
const { port, host, folder, redisUrl, spreadMs } = options

await workers(options.workers, () => {
  const playground = createPlayground(openLog(), nodeName())
  const { hub } = playground
  const page = staticFiles(fileURLToPath(new URL("./page/", import.meta.url)))
  const server = createServer((request, response) => {
    if (hub.handleHealth(request, response) || hub.handle(request, response)) return
    page(request, response)
  })
  hub.attach(server)
  server.once("error", (error: NodeJS.ErrnoException) => {
    const inUse = error.code === "EADDRINUSE"
    fail(inUse ? `Port ${port} is in use. Choose another one: PORT=${port + 1} npm start` : error.message)
  })
  server.listen(port, host, () => announce((server.address() as AddressInfo).port))

  drainOnSignals({
    drain: async () => {
      playground.stop()
      // alone, there is nobody who could take the tabs
      if (redisUrl === undefined) await hub.close()
      else await hub.drain({ spreadMs })
      server.close()
      server.closeAllConnections()
    },
  })
})

function openLog(): Log {
  try {
    return redisUrl === undefined ? lmdbLog(folder) : redisLog(redisUrl, { prefix: "holdfast-playground" })
  } catch (error) {
    const instead = redisUrl === undefined ? "\nAnother folder will do: HOLDFAST_DATA=folder npm start" : ""
    return fail(`${(error as Error).message}${instead}`)
  }
}

/** Undefined when it is alone. */
function nodeName(): string | undefined {
  if (cluster.worker !== undefined) return `worker ${cluster.worker.id} (pid ${process.pid})`
  return redisUrl === undefined ? undefined : `${options.node ?? "a node"} (pid ${process.pid})`
}

function announce(actualPort: number): void {
  if ((cluster.worker?.id ?? 1) !== 1) return
  const name = ["127.0.0.1", "0.0.0.0", "::"].includes(host) ? "localhost" : host
  const kept = redisUrl === undefined ? folder : "Redis"
  console.log(`Holdfast playground: http://${name}:${actualPort}`)
  console.log(`Open it in two tabs. What happens there is kept in ${kept}. Ctrl-C ends it.`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
