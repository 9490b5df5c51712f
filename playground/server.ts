import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"
import { lmdbLog } from "holdfast/lmdb"
import { createPlayground } from "./server/hub.ts"
import { staticFiles } from "./server/static-files.ts"

const port = Number(process.env.PORT ?? 8080)
// There is a button that cuts everybody's line, and nobody has to sign in: not to be shown to a whole network unasked.
const host = process.env.HOST || "127.0.0.1"

// What was said is there again after a restart, and after a crash.
const folder = process.env.HOLDFAST_DATA || ".holdfast"

const playground = await createPlayground(openLog())
const server = createServer(staticFiles(fileURLToPath(new URL("./page/", import.meta.url))))
playground.hub.attach(server)

server.once("error", (error: NodeJS.ErrnoException) => {
  const inUse = error.code === "EADDRINUSE"
  console.error(
    inUse ? `Port ${port} is in use. Choose another one: PORT=${port + 1} npm start` : error.message,
  )
  process.exit(1)
})

server.listen(port, host, () => {
  const { port: actual } = server.address() as AddressInfo
  const name = ["127.0.0.1", "0.0.0.0", "::"].includes(host) ? "localhost" : host
  console.log(`Holdfast playground: http://${name}:${actual}`)
  console.log(`Open it in two tabs. What happens there is kept in ${folder}. Ctrl-C ends it.`)
})

function openLog() {
  try {
    return lmdbLog(folder)
  } catch (error) {
    console.error(`${(error as Error).message}\nAnother folder will do: HOLDFAST_DATA=folder npm start`)
    process.exit(1)
  }
}

async function stop(): Promise<void> {
  // The second Ctrl-C ends it at once.
  process.once("SIGINT", () => process.exit(130))
  process.once("SIGTERM", () => process.exit(143))
  server.close()
  await playground.close()
  server.closeAllConnections()
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        console.error(error)
        process.exit(1)
      },
    )
  })
}
