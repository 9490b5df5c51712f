import { createServer, type IncomingMessage, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import type { Logger } from "../../hub/ports/logger.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import { normalPath } from "../http/address.ts"
import { answerFallback } from "../http/fallback.ts"
import type { HealthHandler, HealthPaths } from "../http/health.ts"
import type { HttpHandler } from "../http/http-handler.ts"
import type { UpgradeHandler } from "../websocket/upgrade.ts"
import type { ExchangeOf } from "./http-exchange.ts"
import { DEFAULT_PATH, type Listening, type ListenOptions } from "./hub.ts"
import type { Mounts } from "./mounts.ts"

export interface OwnServersPorts {
  readonly mounts: Mounts
  readonly logger: Logger
  readonly hubUpgrade: UpgradeHandler
  readonly handleHttp: HttpHandler<IncomingMessage>
  readonly handleHealth: HealthHandler
  readonly exchangeOf: ExchangeOf
  /** How long a request may take to arrive. */
  readonly requestTimeoutMs: number
}

/** The HTTP servers that a hub has made itself. They serve nothing but the hub; other requests get a fallback. */
export class OwnServers {
  readonly #ports: OwnServersPorts
  /** With the promise that each listens. */
  readonly #servers = new Map<Server, Promise<void>>()
  #closed = false

  constructor(ports: OwnServersPorts) {
    this.#ports = ports
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
    this.#ports.mounts.attach(server, path, this.#ports.hubUpgrade)
    const listening = startListening(server, port, host)
    this.#servers.set(server, listening)
    try {
      await listening
      if (this.#closed) throw new HoldfastError("closed", errorCodes.closed)
    } catch (error) {
      this.#servers.delete(server)
      this.#ports.mounts.detach(server)
      throw error
    }
    server.on("error", (error) => this.#ports.logger.error("the HTTP server failed", { error }))
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
    const { mounts, handleHttp, handleHealth, exchangeOf, requestTimeoutMs } = this.#ports
    const options = {
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
      // How often Node looks for those that are too slow.
      connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 4),
    }
    return createServer(options, (request, response) => {
      const exchange = exchangeOf(request, response)
      if (handleHttp(exchange, path)) return
      if (health !== false && handleHealth(exchange, health)) return
      answerFallback(exchange, { path, hasRaw: (asked) => mounts.hasRaw(asked) })
    })
  }
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
