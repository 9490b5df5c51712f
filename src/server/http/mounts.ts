import type { Logger } from "../../hub/ports/logger.ts"
import { normalPath } from "./path.ts"
import { addUpgradeRoute, type UpgradeHandler, type UpgradeServer } from "./upgrade-routes.ts"

/** Which WebSockets a hub takes, and on which servers: every server that it is attached to has all of its raw doors. */
export class Mounts {
  readonly #removers = new Map<UpgradeServer, (() => void)[]>()
  readonly #rawDoors = new Map<string, UpgradeHandler>()
  readonly #logger: Logger

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** @throws Error when a path is taken on this server, TypeError when it is no server. */
  attach(server: UpgradeServer, path: string, door: UpgradeHandler): void {
    // An app of Express or Koa has `on` too, and would never emit anything.
    if (typeof server?.on !== "function" || typeof server.listening !== "boolean") {
      throw new TypeError("this is no HTTP server: of a framework, attach to what its listen() returns")
    }
    const known = this.#removers.get(server)
    const doors: (readonly [string, UpgradeHandler])[] = [[checkedPath(path), this.#guarded(door)]]
    if (known === undefined) doors.push(...this.#rawDoors)
    const removers = known ?? []
    const before = removers.length
    try {
      for (const [each, handler] of doors) removers.push(addUpgradeRoute(server, each, handler))
    } catch (error) {
      for (const remove of removers.splice(before)) remove()
      throw error
    }
    this.#removers.set(server, removers)
  }

  /** @throws Error when the path is taken. */
  addRaw(path: string, rawDoor: UpgradeHandler): void {
    const normal = checkedPath(path)
    const door = this.#guarded(rawDoor)
    if (this.#rawDoors.has(normal)) throw new Error(`the hub already takes raw WebSockets at ${normal}`)
    for (const [server, removers] of this.#removers) removers.push(addUpgradeRoute(server, normal, door))
    this.#rawDoors.set(normal, door)
  }

  hasRaw(path: string): boolean {
    return this.#rawDoors.has(path)
  }

  detach(server: UpgradeServer): void {
    for (const remove of this.#removers.get(server) ?? []) remove()
    this.#removers.delete(server)
  }

  detachAll(): void {
    for (const server of [...this.#removers.keys()]) this.detach(server)
  }

  /** What fails in one handshake must not reach the server's event, where it would end the process. */
  #guarded(door: UpgradeHandler): UpgradeHandler {
    return (request, socket, head) => {
      try {
        door(request, socket, head)
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
