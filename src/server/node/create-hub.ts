import type { IncomingMessage, ServerResponse } from "node:http"
import type { Contract } from "../../contract/index.ts"
import { createHubCore } from "../../hub/hub.ts"
import { chosenLimits, defaultLimits } from "../../hub/limits.ts"
import { memoryLog } from "../../logs/memory/index.ts"
import { Drain } from "../drain.ts"
import { normalPath } from "../http/address.ts"
import { createHealthHandler, healthOf } from "../http/health.ts"
import { createHttpHandler } from "../http/http-handler.ts"
import { createOriginCheck } from "../http/origin.ts"
import { defaultServerLimits, type ServerLimits } from "../limits.ts"
import { Links } from "../links.ts"
import { consoleLogger } from "../logger.ts"
import { Heartbeat } from "../raw/heartbeat.ts"
import { createRawUpgrade } from "../raw/raw-upgrade.ts"
import { defaultCompression } from "../websocket/compression.ts"
import { createHubUpgrade } from "../websocket/hub-upgrade.ts"
import { checkOptions } from "./check-options.ts"
import { realClock } from "./clock.ts"
import { nodeEntropy } from "./entropy.ts"
import { httpExchange } from "./http-exchange.ts"
import { DEFAULT_PATH, type Hub } from "./hub.ts"
import { Mounts } from "./mounts.ts"
import type { CreateHubOptions } from "./options.ts"
import { OwnServers } from "./own-servers.ts"
import { Shutdown } from "./shutdown.ts"
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
  const clock = realClock
  const entropy = nodeEntropy
  const core = createHubCore<C, User, IncomingMessage>(
    contract,
    { ...options, logger },
    { clock, entropy, log },
  )

  const links = new Links(limits.connectionsMax, logger)
  const mounts = new Mounts(logger)
  const originRefusal = createOriginCheck(options.origins ?? "same-host", logger)
  const shared = { clock, links, logger, originRefusal }
  const hubUpgrade = createHubUpgrade({
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
    ...shared,
    heartbeat: new Heartbeat(clock, limits.heartbeatMs),
    authorizeTimeoutMs: limits.helloTimeoutMs,
  }
  const handleHttp = createHttpHandler<IncomingMessage>({
    ...shared,
    entropy,
    limits,
    connect: core.connect,
    credentials: options.origins !== "any",
  })
  const health = () =>
    healthOf(
      { closed: shutdown.isRunning, draining: drain.isRunning, logFailure: core.logFailure() },
      links.size,
    )
  const handleHealth = createHealthHandler(health)
  const exchangeOf = (request: IncomingMessage, response: ServerResponse) =>
    httpExchange(request, response, limits.highWaterBytes)

  const servers = new OwnServers({
    mounts,
    logger,
    hubUpgrade,
    handleHttp,
    handleHealth,
    exchangeOf,
    requestTimeoutMs: limits.requestTimeoutMs,
  })
  const { closeTimeoutMs } = limits
  const shutdown = new Shutdown({ clock, links, mounts, servers, closeCore: core.close, closeTimeoutMs })
  const drain = new Drain({
    clock,
    random: entropy.random,
    links,
    closeTimeoutMs,
    disconnectAll: core.disconnectAll,
    handOverMembers: core.handOverMembers,
    close: () => shutdown.run(),
  })

  return {
    ...core,
    limits,
    listen: (where) => servers.listen(where),
    attach: (server, { path = DEFAULT_PATH } = {}) => mounts.attach(server, path, hubUpgrade),
    handle: (request, response, { path = DEFAULT_PATH } = {}) =>
      handleHttp(exchangeOf(request, response), normalPath(path)),
    raw: (path, handler, rawOptions = {}) =>
      mounts.addRaw(path, createRawUpgrade(handler, rawOptions, rawSurroundings)),
    health,
    handleHealth: (request, response, paths = {}) => handleHealth(exchangeOf(request, response), paths),
    drain: (drainOptions = {}) => drain.run(drainOptions),
    close: () => shutdown.run(),
  }
}
