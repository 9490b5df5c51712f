import type { IncomingMessage } from "node:http"
import type { Contract } from "../../contract/index.ts"
import type { HubConnection } from "../../hub/connection/hub-connection.ts"
import { createHubCore } from "../../hub/hub.ts"
import { chosenLimits, defaultLimits } from "../../hub/limits.ts"
import type { Clock } from "../../hub/ports/clock.ts"
import type { Entropy } from "../../hub/ports/entropy.ts"
import type { Link } from "../../hub/ports/link.ts"
import type { Logger } from "../../hub/ports/logger.ts"
import { memoryLog } from "../../logs/memory/index.ts"
import { Drain } from "../drain.ts"
import { normalPath } from "../http/address.ts"
import { createHealthHandler, healthOf } from "../http/health.ts"
import { createHttpHandler } from "../http/http-handler.ts"
import { createOriginCheck, type OriginCheck } from "../http/origin.ts"
import { defaultServerLimits, type ServerLimits } from "../limits.ts"
import { Links } from "../links.ts"
import { consoleLogger } from "../logger.ts"
import { Heartbeat } from "../raw/heartbeat.ts"
import { createRawUpgrade, type RawHandler, type RawOptions } from "../raw/raw-upgrade.ts"
import { type Compression, type CompressionOptions, defaultCompression } from "../websocket/compression.ts"
import { createHubUpgrade } from "../websocket/hub-upgrade.ts"
import type { UpgradeHandler } from "../websocket/upgrade.ts"
import { checkOptions } from "./check-options.ts"
import { realClock } from "./clock.ts"
import { nodeEntropy } from "./entropy.ts"
import { type ExchangeOf, httpExchange } from "./http-exchange.ts"
import { DEFAULT_PATH, type Hub } from "./hub.ts"
import { Mounts } from "./mounts.ts"
import type { CreateHubOptions } from "./options.ts"
import { OwnServers } from "./own-servers.ts"
import { warnOfProcesses } from "./several-processes.ts"
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
  warnOfProcesses(log, logger)
  const limits: ServerLimits = chosenLimits(defaults, options.limits)
  const ports = { clock: realClock, entropy: nodeEntropy, log }
  const core = createHubCore<C, User, IncomingMessage>(contract, { ...options, logger }, ports)

  const links = new Links(limits.connectionsMax, logger)
  const originRefusal = createOriginCheck(options.origins ?? "same-host", logger)
  const shared: Shared = { ...ports, connect: core.connect, limits, links, logger, originRefusal }
  const mounts = new Mounts(logger)
  const hubUpgrade = hubUpgradeOf(shared, options.compression)
  const rawUpgrade = rawUpgradeOf(shared)
  const handleHttp = createHttpHandler<IncomingMessage>({ ...shared, credentials: options.origins !== "any" })
  const exchangeOf: ExchangeOf = (request, response) => httpExchange(request, response, limits.highWaterBytes)
  const health = () => {
    const closed = shutdown.isRunning
    return healthOf({ closed, draining: drain.isRunning, logFailure: core.logFailure() }, links.size)
  }
  const handleHealth = createHealthHandler(health)
  const servers = new OwnServers({
    mounts,
    logger,
    hubUpgrade,
    handleHttp,
    handleHealth,
    exchangeOf,
    requestTimeoutMs: limits.requestTimeoutMs,
  })
  const ending = { clock: realClock, links, closeTimeoutMs: limits.closeTimeoutMs }
  const shutdown = new Shutdown({ ...ending, mounts, servers, closeCore: core.close })
  const close = () => shutdown.run()
  const drain = new Drain({ ...ending, ...core, random: nodeEntropy.random, close })

  return {
    ...core,
    limits,
    listen: (where) => servers.listen(where),
    attach: (server, { path = DEFAULT_PATH } = {}) => mounts.attach(server, path, hubUpgrade),
    handle: (request, response, { path = DEFAULT_PATH } = {}) =>
      handleHttp(exchangeOf(request, response), normalPath(path)),
    raw: (path, handler, rawOptions = {}) => mounts.addRaw(path, rawUpgrade(handler, rawOptions)),
    health,
    handleHealth: (request, response, paths = {}) => handleHealth(exchangeOf(request, response), paths),
    drain: (drainOptions = {}) => drain.run(drainOptions),
    close,
  }
}

/** What WebSockets, raw sockets and requests of one hub have in common. */
interface Shared {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly connect: (link: Link, request: unknown) => HubConnection
  readonly limits: ServerLimits
  readonly links: Links
  readonly logger: Logger
  readonly originRefusal: OriginCheck
}

function hubUpgradeOf(
  { connect, limits, links, logger, originRefusal }: Shared,
  compression: CompressionOptions | undefined,
): UpgradeHandler {
  return createHubUpgrade({
    ...limits,
    connect,
    links,
    originRefusal,
    surroundings: { logger, onGone: (link) => links.delete(link) },
    compression: compression && chosenCompression(compression),
  })
}

function chosenCompression({ thresholdBytes, level }: CompressionOptions): Compression {
  return {
    thresholdBytes: thresholdBytes ?? defaultCompression.thresholdBytes,
    level: level ?? defaultCompression.level,
  }
}

function rawUpgradeOf({ clock, limits, links, logger, originRefusal }: Shared) {
  const heartbeat = new Heartbeat(clock, limits.heartbeatMs)
  const authorizeTimeoutMs = limits.helloTimeoutMs
  const surroundings = { ...limits, clock, links, logger, originRefusal, heartbeat, authorizeTimeoutMs }
  return (handler: RawHandler, options: RawOptions) => createRawUpgrade(handler, options, surroundings)
}
