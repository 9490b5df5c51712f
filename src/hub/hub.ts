import type { Contract, Definitions, Params } from "../contract/index.ts"
import { formatName } from "../contract/index.ts"
import type { Log } from "../log/log.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { ChannelHandle } from "./api/channel-handle.ts"
import type { HubOptions } from "./api/options.ts"
import { serverChannel } from "./api/server-channel.ts"
import { CatchUp } from "./channel/catch-up.ts"
import { Channels } from "./channel/channels.ts"
import { PRESENCE } from "./channel/facets.ts"
import { FanOut } from "./channel/fan-out.ts"
import { FinalDelivery } from "./channel/final-delivery.ts"
import { Loader } from "./channel/loader.ts"
import { presenceRetention, retentionsOf } from "./channel/retention.ts"
import { Trimmer } from "./channel/trimmer.ts"
import {
  type AnswerPorts,
  answerTo,
  clusterOf,
  disconnect,
  hasElsewhere,
  revokeEverywhere,
} from "./cluster/cluster.ts"
import type { Cluster, ClusterConnection, Disconnection, Gathered } from "./cluster/cluster-answers.ts"
import { Neighbours } from "./cluster/neighbours.ts"
import { Connections } from "./connection/connections.ts"
import { type ConnectedClient, type Departure, Departures } from "./connection/departure.ts"
import { Drain } from "./connection/drain.ts"
import { Endings } from "./connection/endings.ts"
import { connect, type HubConnection, type HubConnectionPorts } from "./connection/hub-connection.ts"
import { LogState } from "./connection/log-state.ts"
import { Answers } from "./handlers/answers.ts"
import { Application, type Handlers } from "./handlers/application.ts"
import { CallHandler } from "./handlers/call.ts"
import { checkHandlers } from "./handlers/check-handlers.ts"
import { Dispatcher } from "./handlers/dispatch.ts"
import { checkInTime, HandlerDeadline } from "./handlers/handler-deadline.ts"
import { type Authenticate, HelloHandler } from "./handlers/hello.ts"
import { PresenceHandler } from "./handlers/presence.ts"
import { PublishHandler } from "./handlers/publish.ts"
import { SignalHandler } from "./handlers/signal.ts"
import { SnapshotHandler } from "./handlers/snapshot.ts"
import { SubscribeHandler } from "./handlers/subscribe.ts"
import { chosenLimits, defaultLimits, type Limits } from "./limits.ts"
import type { Clock } from "./ports/clock.ts"
import type { Entropy } from "./ports/entropy.ts"
import type { Link } from "./ports/link.ts"
import type { Logger } from "./ports/logger.ts"
import { Members } from "./presence/members.ts"
import { Authors } from "./publish/author.ts"
import { Publisher } from "./publish/publisher.ts"
import { RateCap } from "./publish/rate-cap.ts"
import { Signals } from "./publish/signals.ts"

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
  /** Whether another node takes the clients of this one, which takes no more itself from now on. */
  readonly hasElsewhere: () => Promise<boolean>
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
  const userHandlers = (options.channels ?? {}) as Readonly<Record<string, Handlers>>
  checkHandlers(contract, userHandlers)
  const limits = chosenLimits(defaultLimits, options.limits)
  const logger = options.logger ?? silent
  const authenticate = options.authenticate as Authenticate | undefined
  /** This node's name, another one in each of its lives. */
  const node = entropy.uniqueId()
  const { bus } = log
  const handleFailure = (what: string, error: unknown) => logger.error(`${what}, trying again`, { error })
  const world = { node, bus, log, clock, entropy, limits, logger }

  // the application, and the channels for its own code
  const application: Application = new Application({
    contract,
    handlers: userHandlers,
    handleOf: (target, run) =>
      serverChannel(serverPorts, target, run === undefined ? undefined : () => checkInTime(run)),
    logger,
  })
  const target = (name: string) => application.target(name)

  // what goes out: channels, and the cursors on them
  const fanOut = new FanOut(clock)
  const deadline = new HandlerDeadline(world)
  const snapshots = new SnapshotHandler({ application, deadline, limits })
  const loader = new Loader((channel) => snapshots.load(channel))
  const catchUp = new CatchUp({ ...world, loader, handleFailure })
  const trimmer: Trimmer = new Trimmer({
    ...world,
    intervalMs: limits.trimIntervalMs,
    isFollowed: (channel) => channels.find(channel) !== undefined,
  })
  const channels: Channels = new Channels(
    {
      log,
      burstBytesMax: limits.burstBytesMax,
      markDirty: (channel) => fanOut.mark(channel),
      catchUp: (subscription) => catchUp.enqueue(subscription),
      handleFillError: ({ name }, error, retry) => {
        handleFailure(`the log of ${name} could not be read`, error)
        clock.after(limits.retryMs, retry)
      },
      handleStartOver: ({ name }) => members.handleStartOver(name),
    },
    {
      handleOpen: (channel) => {
        trimmer.track(channel.name, retentionsOf(channel.match))
        signals.handleOpen(channel)
      },
      handleClose: (channel) => signals.handleClose(channel),
    },
  )

  // what comes in: entries and signals
  const publisher = new Publisher({
    ...world,
    rateCap: new RateCap(clock),
    channels,
    track: (name, retentions) => trimmer.track(name, retentions),
  })
  const authors = new Authors(entropy, limits)
  const signals: Signals = new Signals({
    ...world,
    channels,
    handleFailure: (channel, error, retry) => {
      handleFailure(`the signals of ${channel} cannot be listened to`, error)
      clock.after(limits.retryMs, retry)
    },
  })

  // the clients of this node, the members of its channels, and the other nodes
  const connections = new Connections(clock, limits)
  const finalDelivery = new FinalDelivery(world)
  const endings = new Endings({ clock, memoryMs: limits.endingMemoryMs })
  const departures = new Departures({ clock, connections, endings, finalDelivery })
  const logState = new LogState(log, connections)
  const drain = new Drain({ ...world, connections })
  const members: Members = new Members({
    ...world,
    retention: (name) => {
      const match = contract.match(name)
      if (match === undefined) return presenceRetention
      const retentions = retentionsOf(match)
      trimmer.track(name, retentions)
      return retentions[PRESENCE] ?? presenceRetention
    },
  })
  const neighbours: Neighbours = new Neighbours({
    ...world,
    others: () => members.otherNodes(),
    answer: (question) => answerTo(answerPorts, question),
  })

  // what clients ask for
  const answers = new Answers({ logger, deadline, endings })
  const handling = { ...world, application, answers, deadline, endings }
  const presence = new PresenceHandler({ ...handling, members })
  const subscriptions = new SubscribeHandler({ ...handling, channels, finalDelivery })
  const dispatcher = new Dispatcher({
    clock,
    messageBytesMax: limits.messageBytesMax,
    hello: new HelloHandler({ ...handling, authenticate, connections, logState, subscriptions, presence }),
    subscriptions,
    publishing: new PublishHandler({ ...handling, publisher, authors }),
    signals: new SignalHandler({ ...handling, signals }),
    calls: new CallHandler(handling),
    presence,
  })

  const serverPorts = {
    ...world,
    publisher,
    authors,
    signals,
    revoke: (channel: string, user: string | number, reason: string) =>
      revokeEverywhere(neighbours, channel, user, reason),
  }
  let isDraining = false
  const answerPorts: AnswerPorts = {
    ...world,
    isDraining: () => isDraining,
    channels,
    connections,
    disconnect: (user, ended, ending) => {
      endings.add({ user }, ending)
      const { reason, reconnect } = ending
      if (!reconnect) {
        departures.disconnect(ended, reason)
        members.removeAbsent(user)
      } else for (const connection of ended) drain.handOver(connection, reason, 0)
    },
    revoke: (concerned, channel, reason) => {
      const error = new HoldfastError("revoked", reason)
      const heads = finalDelivery.heads()
      for (const connection of concerned) {
        subscriptions.revoke(connection, channel, error, heads)
        presence.revoke(connection, channel, error)
      }
    },
    removeUser: (channel, user) => members.removeUser(channel, user),
  }
  const connectionPorts: HubConnectionPorts = {
    ...world,
    connections,
    endings,
    cork: (outlet) => fanOut.cork(outlet),
    receive: (connection, decoded, bytes) => dispatcher.receive(connection, decoded, bytes),
    catchUp: (subscription) => catchUp.enqueue(subscription),
    removeSubscription: (subscription) => channels.remove(subscription),
    handleEnd: (connection, orderly) => members.release(connection, orderly),
  }

  return {
    limits,
    connect: (link, request) => connect(connectionPorts, link, request),
    channel: (pattern, params) =>
      serverChannel(serverPorts, target(formatName(pattern, params ?? {}))) as never,
    connections: () => departures.clients(),
    logFailure: () => logState.failure,
    hasElsewhere: () => {
      isDraining = true
      return hasElsewhere(neighbours, node)
    },
    handOverMembers: () => Promise.race([members.handOver(), logState.unreachable()]),
    disconnect: (disconnection) => disconnect(neighbours, disconnection, clock.now()),
    cluster: clusterOf(neighbours),
    disconnectAll: ({ reason, reconnect, spreadMs }) => {
      if (reconnect) drain.handOverAll(reason, spreadMs)
      else departures.disconnectAll(reason)
    },
    close: async () => {
      await departures.closeAll("the server closes")
      neighbours.close()
      trimmer.close()
      // members that cannot be removed now are when the node's lease is over
      await Promise.race([members.close(), logState.unreachable()])
      logState.close()
      channels.close()
      await log.close()
    },
  }
}
