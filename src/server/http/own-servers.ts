import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import type { Logger } from "../../hub/ports/logger.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import { DEFAULT_PATH, type Listening, type ListenOptions } from "../hub.ts"
import type { RequestDoor } from "../plain-http/request-door.ts"
import type { HealthDoor, HealthPaths } from "./health.ts"
import type { Mounts } from "./mounts.ts"
import { normalPath, pathOf } from "./path.ts"
import type { UpgradeHandler } from "./upgrade-routes.ts"

export interface OwnServersOptions {
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs: number
  readonly logger: Logger
}

/** What such a server answers. */
export interface OwnServersDoors {
  readonly door: UpgradeHandler
  readonly requestDoor: RequestDoor
  readonly healthDoor: HealthDoor
}

/** The HTTP servers that a hub has made itself. They take nothing but what is the hub's, and say so to everybody else. */
export class OwnServers {
  readonly #mounts: Mounts
  readonly #door: UpgradeHandler
  readonly #requestDoor: RequestDoor
  readonly #healthDoor: HealthDoor
  readonly #options: OwnServersOptions
  /** With the promise that each listens. */
  readonly #servers = new Map<Server, Promise<void>>()
  #closed = false

  constructor(
    mounts: Mounts,
    { door, requestDoor, healthDoor }: OwnServersDoors,
    options: OwnServersOptions,
  ) {
    this.#mounts = mounts
    this.#door = door
    this.#requestDoor = requestDoor
    this.#healthDoor = healthDoor
    this.#options = options
  }

  /** @throws TypeError when the port is none; HoldfastError `closed`; or what listening fails with, such as EADDRINUSE. */
  async listen({
    port,
    host = "127.0.0.1",
    path = DEFAULT_PATH,
    health = {},
  }: ListenOptions): Promise<Listening> {
    if (this.#closed) throw new HoldfastError("closed", errorCodes.closed)
    // A text that is no number would be taken for the path of a local socket.
    if (!(Number(port) >= 0 && Number(port) < 65_536))
      throw new TypeError(`listen: the port is ${port}, and has to be a number from 0 to 65535`)
    const server = this.#create(normalPath(path), health)
    this.#mounts.attach(server, path, this.#door)
    const listening = startListening(server, port, host)
    this.#servers.set(server, listening)
    try {
      await listening
      if (this.#closed) throw new HoldfastError("closed", errorCodes.closed)
    } catch (error) {
      this.#servers.delete(server)
      this.#mounts.detach(server)
      throw error
    }
    server.on("error", (error) => this.#options.logger.error("the HTTP server failed", { error }))
    const { port: actualPort } = server.address() as AddressInfo
    return { port: actualPort, url: urlOf(host, actualPort, normalPath(path)) }
  }

  /** Takes no more connections, and cuts those that are left after `answered`. Resolves when all are gone. */
  async close(answered: Promise<void>): Promise<void> {
    this.#closed = true
    await Promise.all(
      [...this.#servers].map(([server, listening]) => closeServer(server, listening, answered)),
    )
    this.#servers.clear()
  }

  #create(path: string, health: HealthPaths | false): Server {
    const { requestTimeoutMs } = this.#options
    const options = {
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // How often Node looks for those that are too slow.
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 4),
    }
    return createServer(options, (request, response) => {
      if (this.#requestDoor(request, response, path)) return
      if (health !== false && this.#healthDoor(request, response, health)) return
      const asked = pathOf(request)
      if (asked === path || this.#mounts.hasRaw(asked)) {
        const text = "This is a Holdfast hub. It takes WebSockets; holdfast/client makes them."
        answer(request, response, 426, text, { Upgrade: "websocket", Connection: "close, Upgrade" })
      } else {
        const text = `Nothing is here. This is a Holdfast hub, which takes WebSockets at ${path}.`
        answer(request, response, 404, text, { Connection: "close" })
      }
    })
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>>,
): void {
  request.resume()
  response.writeHead(status, { "Content-Type": "text/plain; charset=utf-8", ...headers })
  response.end(`${text}\n`)
}

async function startListening(server: Server, port: number, host: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, host, () => {
      server.removeListener("error", reject)
      resolve()
    })
  })
}

/** One that is about to listen, which takes a while when a name has to be looked up, cannot be stopped before it does. */
async function closeServer(server: Server, listening: Promise<void>, answered: Promise<void>): Promise<void> {
  await listening.catch(() => undefined)
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    void answered.then(() => server.closeAllConnections())
  })
}

function urlOf(host: string, port: number, path: string): string {
  const isAnywhere = host === "0.0.0.0" || host === "::"
  const name = isAnywhere ? "localhost" : host.includes(":") ? `[${host}]` : host
  return `ws://${name}:${port}${path}`
}
