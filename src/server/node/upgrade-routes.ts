import type { EventEmitter } from "node:events"
import { normalPath, pathOf } from "../http/address.ts"
import { destroyOnError, refuse } from "../websocket/refuse.ts"
import type { UpgradeHandler } from "../websocket/upgrade.ts"

/** A server that takes HTTP/1 upgrades: of node:http, of node:https, and the other kinds that frameworks make. */
export interface UpgradeServer extends Pick<EventEmitter, "on" | "removeListener" | "listenerCount"> {
  readonly listening: boolean
}

/** The paths of one HTTP server at which WebSockets are taken: one listener for all hubs that share the server. */
interface UpgradeRoutes {
  readonly byPath: Map<string, UpgradeHandler>
  readonly listener: UpgradeHandler
}

const routesOf = new WeakMap<UpgradeServer, UpgradeRoutes>()

/**
 * Takes the upgrade requests for `path`. Those for other paths are left to the server's other `upgrade` listeners; if there
 * are none, they are answered 404. Returns how to stop.
 * @throws Error when the path is taken.
 */
export function addUpgradeRoute(server: UpgradeServer, path: string, handler: UpgradeHandler): () => void {
  const routes = routesOf.get(server) ?? startRoutes(server)
  const normal = normalPath(path)
  if (routes.byPath.has(normal)) throw new Error(`the server already takes WebSockets at ${normal}`)
  routes.byPath.set(normal, handler)
  return () => {
    if (routes.byPath.get(normal) !== handler) return
    routes.byPath.delete(normal)
    if (routes.byPath.size === 0) stopRoutes(server, routes)
  }
}

function startRoutes(server: UpgradeServer): UpgradeRoutes {
  const byPath = new Map<string, UpgradeHandler>()
  const listener: UpgradeHandler = (request, socket, head) => {
    const handler = byPath.get(pathOf(request.url ?? "/"))
    if (handler !== undefined) {
      destroyOnError(socket)
      handler(request, socket, head)
    } else if (server.listenerCount("upgrade") === 1) {
      destroyOnError(socket)
      refuse(socket, 404, `Nothing is here. WebSockets are taken at ${[...byPath.keys()].join(", ")}.`)
    }
  }
  const routes = { byPath, listener }
  routesOf.set(server, routes)
  server.on("upgrade", listener)
  return routes
}

function stopRoutes(server: UpgradeServer, routes: UpgradeRoutes): void {
  server.removeListener("upgrade", routes.listener)
  routesOf.delete(server)
}
