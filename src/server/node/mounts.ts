import type { Logger } from "../../hub/ports/logger.ts"
import { normalPath } from "../http/address.ts"
import type { UpgradeHandler } from "../websocket/upgrade.ts"
import { addUpgradeRoute, type UpgradeServer } from "./upgrade-routes.ts"

/** Which WebSockets a hub takes, and on which servers: all of its raw paths are on every server that it is attached to. */
export class Mounts {
  readonly #removers = new Map<UpgradeServer, (() => void)[]>()
  readonly #rawHandlers = new Map<string, UpgradeHandler>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @throws Error when a path is taken on this server, TypeError when it is no server. */
  attach(server: UpgradeServer, path: string, hubUpgrade: UpgradeHandler): void {
    // An app of Express or Koa has `on` too, and would never emit anything.
    if (typeof server?.on !== "function" || typeof server.listening !== "boolean") {
      throw new TypeError("this is no HTTP server: of a framework, attach to what its listen() returns")
    }
    const known = this.#removers.get(server)
    const handlers: (readonly [string, UpgradeHandler])[] = [[checkedPath(path), this.#guarded(hubUpgrade)]]
    if (known === undefined) handlers.push(...this.#rawHandlers)
    const removers = known ?? []
    const before = removers.length
    try {
      for (const [each, handler] of handlers) removers.push(addUpgradeRoute(server, each, handler))
    } catch (error) {
      for (const remove of removers.splice(before)) remove()
      throw error
    }
    this.#removers.set(server, removers)
  }

  /** @throws Error when the path is taken. */
  addRaw(path: string, rawUpgrade: UpgradeHandler): void {
    const normal = checkedPath(path)
    const handler = this.#guarded(rawUpgrade)
    if (this.#rawHandlers.has(normal)) throw new Error(`the hub already takes raw WebSockets at ${normal}`)
    for (const [server, removers] of this.#removers) removers.push(addUpgradeRoute(server, normal, handler))
    this.#rawHandlers.set(normal, handler)
  }

  hasRaw(path: string): boolean {
    return this.#rawHandlers.has(path)
  }

  detach(server: UpgradeServer): void {
    for (const remove of this.#removers.get(server) ?? []) remove()
    this.#removers.delete(server)
  }

  detachAll(): void {
    for (const server of [...this.#removers.keys()]) this.detach(server)
  }

  /** A handshake that fails must not throw into the server's event, where it would end the process. */
  #guarded(handler: UpgradeHandler): UpgradeHandler {
    return (request, socket, head) => {
      try {
        handler(request, socket, head)
      } catch (error) {
        this.#logger.error("a handshake failed", { error })
        socket.destroy()
      }
    }
  }
}

function checkedPath(path: string): string {
  if (!path.startsWith("/") || /[?#]/.test(path)) {
    throw new TypeError(`"${path}" is no path: it has to begin with "/", without a query`)
  }
  return normalPath(path)
}
