import type { ChannelDefinition, Contract, Definitions, Params } from "../contract/index.ts"
import { formatName } from "../contract/index.ts"
import type { Log } from "../log/log.ts"
import { HoldfastError } from "../protocol/error.ts"
import { CatchUp } from "./channel/catch-up.ts"
import type { ChannelPorts } from "./channel/channel.ts"
import { Channels } from "./channel/channels.ts"
import { PRESENCE } from "./channel/facets.ts"
import { FanOut } from "./channel/fan-out.ts"
import { Loader } from "./channel/loader.ts"
import { presenceRetention, retentionsOf } from "./channel/retention.ts"
import { Trimmer } from "./channel/trimmer.ts"
import type { ChannelHandle } from "./channel-handle.ts"
import { checkHandlers } from "./check-handlers.ts"
import { answerTo, clusterOf, disconnect } from "./cluster/cluster.ts"
import type { Cluster, ClusterConnection, Disconnection, Gathered } from "./cluster/cluster-answers.ts"
import { Neighbours } from "./cluster/neighbours.ts"
import { Connections } from "./connection/connections.ts"
import {
  type ConnectedClient,
  closeAll,
  connectedClients,
  type Departure,
  disconnectAll,
} from "./connection/departure.ts"
import { connect, type HubConnection } from "./connection/hub-connection.ts"
import { LogState } from "./connection/log-state.ts"
import type { Core, Handlers } from "./core.ts"
import { chosenLimits, defaultLimits, type Limits } from "./limits.ts"
import type { HubOptions, Logger } from "./options.ts"
import type { Clock } from "./ports/clock.ts"
import type { Entropy } from "./ports/entropy.ts"
import type { Link } from "./ports/link.ts"
import { Members } from "./presence/members.ts"
import { Publisher } from "./publish/publisher.ts"
import { RateCap } from "./publish/rate-cap.ts"
import { Signals } from "./publish/signals.ts"
import { channelHandle } from "./server-channel.ts"
import type { Target } from "./target.ts"

/** What the hub takes from the world. */
export interface HubPorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
}

export interface HubCore<C extends Contract, User> {
  readonly limits: Limits
  readonly connect: (link: Link, request: unknown) => HubConnection
  readonly channel: <P extends keyof Definitions<C> & string>(
    pattern: P,
    params: Params<P>,
  ) => ChannelHandle<Definitions<C>[P]>
  readonly connections: () => Iterable<ConnectedClient<User>>
  /** Why the log cannot be reached; undefined when it can. */
  readonly logFailure: () => HoldfastError | undefined
  /** Gives the clients that have gone to other nodes the time to enter there. To be called before `close`, if at all. */
  readonly handOverMembers: () => Promise<void>
  /**
   * Ends the connections of a user at every node. Resolves with those, and with the nodes that did not answer within
   * `clusterTimeoutMs`.
   */
  readonly disconnect: (disconnection: Disconnection) => Promise<Gathered<ClusterConnection>>
  /** The nodes that share the log, and their connections. */
  readonly cluster: Cluster
  /** Sends every client of this node away. */
  readonly disconnectAll: (departure: Departure) => void
  /** Sends every client away, tells presence, and closes the log. */
  readonly close: () => Promise<void>
}

const silent: Logger = { warn: () => {}, error: () => {} }

/** The hub, without any I/O of its own: the adapters bring the links, the clock and the log. */
export function createHubCore<C extends Contract, User, Request>(
  contract: C,
  options: Omit<HubOptions<C, User, Request>, "log">,
  { clock, entropy, log }: HubPorts,
): HubCore<C, User> {
  const handlers = (options.channels ?? {}) as Readonly<Record<string, Handlers>>
  checkHandlers(contract, handlers)
  const limits = chosenLimits(defaultLimits, options.limits)
  const logger = options.logger ?? silent
  const handleFailure = (what: string, error: unknown) => logger.error(`${what}, trying again`, { error })
  const fanOut = new FanOut(clock)
  const loader = new Loader((channel) => load(core, channel), limits.snapshotBytesMax)
  const catchUp = new CatchUp(log, clock, limits, loader, handleFailure)
  const channelPorts: ChannelPorts = {
    log,
    burstBytesMax: limits.burstBytesMax,
    markDirty: (channel) => fanOut.mark(channel),
    catchUp: (subscription) => catchUp.enqueue(subscription),
    handleFillError: ({ name }, error, retry) => {
      handleFailure(`the log of ${name} could not be read`, error)
      clock.after(limits.retryMs, retry)
    },
    handleStartOver: ({ name }) => members.handleStartOver(name),
  }
  const channels = new Channels(channelPorts, {
    handleOpen: (channel) => {
      trimmer.track(channel.name, retentionsOf(channel.match))
      signals.handleOpen(channel)
    },
    handleClose: (channel) => signals.handleClose(channel),
  })
  const trimmer = new Trimmer(log, clock, limits.trimIntervalMs, logger)
  const publisher = new Publisher(log, clock, limits, new RateCap(clock), (name, retentions) =>
    trimmer.track(name, retentions),
  )
  const target = (name: string): Target => ({ name, match: matchOf(contract, name) })
  const connections = new Connections(clock, limits)
  const node = entropy.uniqueId()
  const { bus } = log
  const signals = new Signals({
    node,
    bus,
    publisher,
    channels,
    handleFailure: (channel, error, retry) => {
      handleFailure(`the signals of ${channel} cannot be listened to`, error)
      clock.after(limits.retryMs, retry)
    },
  })
  const members = new Members({
    node,
    log,
    clock,
    entropy,
    logger,
    limits,
    retention: (name) => {
      const match = contract.match(name)
      if (match === undefined) return presenceRetention
      const retentions = retentionsOf(match)
      trimmer.track(name, retentions)
      return retentions[PRESENCE] ?? presenceRetention
    },
  })
  const neighbours = new Neighbours({
    node,
    bus,
    clock,
    entropy,
    limits,
    logger,
    others: () => members.otherNodes(),
    answer: (question) => answerTo(core, question),
  })
  const core: Core = {
    contract,
    handlers,
    authenticate: options.authenticate as Core["authenticate"],
    limits,
    clock,
    entropy,
    log,
    logState: new LogState(log, connections),
    logger,
    channels,
    catchUp,
    connections,
    members,
    publisher,
    signals,
    node,
    neighbours,
    handle: (each) => channelHandle(core, each),
  }
  return {
    limits,
    connect: (link, request) => connect(core, link, request),
    channel: (pattern, params) =>
      core.handle(target(formatName(pattern, params ?? {}))) as ChannelHandle<ChannelDefinition> as never,
    connections: () => connectedClients(core),
    logFailure: () => core.logState.failure,
    handOverMembers: () => Promise.race([members.handOver(), core.logState.unreachable()]),
    disconnect: (disconnection) => disconnect(core, disconnection),
    cluster: clusterOf(core),
    disconnectAll: (departure) => disconnectAll(core, departure),
    close: async () => {
      closeAll(core, "the server closes")
      neighbours.close()
      trimmer.close()
      // members that cannot be removed now are when the node's lease is over
      await Promise.race([core.members.close(), core.logState.unreachable()])
      core.logState.close()
      channels.close()
      await log.close()
    },
  }
}

function matchOf(contract: Contract, name: string) {
  const match = contract.match(name)
  if (match === undefined)
    throw new HoldfastError("unknown_channel", `no channel of the contract matches "${name}"`)
  return match
}

function load(core: Core, { name, match }: Target): unknown {
  return core.handlers[match.pattern]?.snapshot?.({
    params: match.params,
    channel: core.handle({ name, match }),
  })
}
