import type { IncomingMessage } from "node:http"
import type { Contract } from "../contract/index.ts"
import { createHubCore } from "../hub/hub.ts"
import { chosenLimits, defaultLimits } from "../hub/limits.ts"
import { memoryLog } from "../logs/memory/index.ts"
import { closeCodes } from "../protocol/close.ts"
import { checkOptions } from "./check-options.ts"
import { realClock } from "./clock.ts"
import { Drain } from "./drain.ts"
import { nodeEntropy } from "./entropy.ts"
import { createHealthDoor, healthOf } from "./http/health.ts"
import { Mounts } from "./http/mounts.ts"
import { createOriginCheck } from "./http/origin.ts"
import { OwnServers } from "./http/own-servers.ts"
import { normalPath } from "./http/path.ts"
import { DEFAULT_PATH, type Hub } from "./hub.ts"
import { defaultServerLimits, type ServerLimits } from "./limits.ts"
import { consoleLogger } from "./logger.ts"
import type { CreateHubOptions } from "./options.ts"
import { createRequestDoor } from "./plain-http/request-door.ts"
import { Heartbeat } from "./raw/heartbeat.ts"
import { createRawDoor } from "./raw/raw-door.ts"
import { defaultCompression } from "./websocket/compression.ts"
import { createHubDoor } from "./websocket/hub-door.ts"
import { Links } from "./websocket/links.ts"
import { checkShared } from "./workers.ts"

/**
 * A hub on this Node process. It does nothing to the outside until it is told to `listen` or `attach`.
 * @throws TypeError when an option is none, or a handler is for what the contract does not declare; HoldfastError `log_not_shared`
 * when it is one of several workers and its log is its own.
 */
export function createHub<C extends Contract, User = undefined>(
  contract: C,
  options: CreateHubOptions<C, User> = {},
): Hub<C, User> {
  const defaults = { ...defaultLimits, ...defaultServerLimits }
  checkOptions(contract, options as never, defaults)
  const log = options.log ?? memoryLog()
  checkShared(log)
  const logger = options.logger ?? consoleLogger
  const limits: ServerLimits = chosenLimits(defaults, options.limits)
  const originRefusal = createOriginCheck(options.origins ?? "same-host", logger)
  const links = new Links(limits.connectionsMax, logger)
  const mounts = new Mounts(logger)
  const ports = { clock: realClock, entropy: nodeEntropy, log }
  const core = createHubCore<C, User, IncomingMessage>(contract, { ...options, logger }, ports)

  const hubDoor = createHubDoor({
    ...limits,
    connect: core.connect,
    links,
    surroundings: { logger, onGone: (link) => links.delete(link) },
    originRefusal,
    compression:
      options.compression === undefined ? undefined : { ...defaultCompression, ...options.compression },
  })
  const rawSurroundings = {
    ...limits,
    links,
    logger,
    originRefusal,
    clock: realClock,
    heartbeat: new Heartbeat(realClock, limits.heartbeatMs),
    authorizeTimeoutMs: limits.helloTimeoutMs,
  }
  const requestDoor = createRequestDoor({
    connect: core.connect,
    links,
    logger,
    limits,
    clock: realClock,
    entropy: nodeEntropy,
    originRefusal,
    credentials: options.origins !== "any",
  })
  const health = () =>
    healthOf(
      { closed: closed !== undefined, draining: drain.isRunning, logFailure: core.logFailure() },
      links.size,
    )
  const healthDoor = createHealthDoor(health)
  const servers = new OwnServers(
    mounts,
    { door: hubDoor, requestDoor, healthDoor },
    { logger, requestTimeoutMs: limits.requestTimeoutMs },
  )
  const closeAll = async () => {
    links.refuseMore()
    const closing = [servers.close(links.gone()), core.close()]
    // Those that were not let in yet, and raw sockets.
    links.close(closeCodes.goingAway.code, "the server closes")
    const cancel = realClock.after(limits.closeTimeoutMs * 2, () => links.destroy())
    const results = await Promise.allSettled([...closing, links.gone()])
    cancel()
    mounts.detachAll()
    for (const result of results) if (result.status === "rejected") throw result.reason
  }
  let closed: Promise<void> | undefined
  const close = () => {
    closed ??= closeAll()
    return closed
  }
  const drain = new Drain({
    clock: realClock,
    random: nodeEntropy.random,
    links,
    closeTimeoutMs: limits.closeTimeoutMs,
    disconnectAll: core.disconnectAll,
    handOverMembers: core.handOverMembers,
    close,
  })

  return {
    ...core,
    limits,
    listen: (where) => servers.listen(where),
    attach: (server, { path = DEFAULT_PATH } = {}) => mounts.attach(server, path, hubDoor),
    handle: (request, response, { path = DEFAULT_PATH } = {}) =>
      requestDoor(request, response, normalPath(path)),
    raw: (path, handler, rawOptions = {}) =>
      mounts.addRaw(path, createRawDoor(handler, rawOptions, rawSurroundings)),
    health,
    handleHealth: (request, response, paths = {}) => healthDoor(request, response, paths),
    drain: (drainOptions = {}) => drain.run(drainOptions),
    close,
  }
}
