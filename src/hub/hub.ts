import type { ChannelDefinition, Contract, Definitions, Params } from "../contract/index.ts"
import { formatName } from "../contract/index.ts"
import type { CloseReason } from "../protocol/close.ts"
import { HoldfastError } from "../protocol/error.ts"
import { CatchUp } from "./catch-up.ts"
import type { ChannelPorts } from "./channel.ts"
import type { ChannelHandle } from "./channel-handle.ts"
import { Channels } from "./channels.ts"
import type { Clock } from "./clock.ts"
import { Connection } from "./connection.ts"
import { Connections } from "./connections.ts"
import type { Core, Handlers } from "./core.ts"
import { receive } from "./dispatch.ts"
import type { Entropy } from "./entropy.ts"
import { FanOut } from "./fan-out.ts"
import { Inbox } from "./inbox.ts"
import { chosenLimits, defaultLimits, type Limits } from "./limits.ts"
import type { Link } from "./link.ts"
import { Loader } from "./loader.ts"
import type { Log } from "./log.ts"
import { Members } from "./members.ts"
import type { HubOptions, Logger } from "./options.ts"
import { Outlet } from "./outlet.ts"
import { keepOf, Publisher, type Target } from "./publisher.ts"
import { RateCap } from "./rate-cap.ts"
import { channelHandle } from "./server-channel.ts"
import { Trimmer } from "./trimmer.ts"

/** What the hub takes from the world. */
export interface HubPorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Log
}

/** What an adapter does with a connection: it hands in what happens on the wire. */
export interface HubConnection {
  readonly id: string
  /** A message that came in, and its length in bytes. */
  readonly handleMessage: (decoded: unknown, bytes: number) => void
  /** Something came in that is no message. The peer is told. */
  readonly handleInvalid: (error: HoldfastError) => void
  /** Something was heard that is no message, such as a pong of the transport. */
  readonly handleAlive: () => void
  /** The link took everything that was written. */
  readonly handleDrain: () => void
  /** The link is gone. `orderly`: the peer closed it on purpose. */
  readonly handleClose: (orderly: boolean) => void
}

/** A connected client, as the server's own code sees it. */
export interface ConnectedClient<User> {
  readonly id: string
  readonly member: string
  readonly user: User
  /** Ends the connection for good: the client does not come back by itself. */
  readonly close: (reason: string) => void
  /** Cuts the line without a word, as a broken network would: the client comes back by itself. */
  readonly drop: () => void
}

/** Why and how the clients are sent away. */
export interface Departure {
  readonly reason: string
  /** Whether they come back by themselves. */
  readonly reconnect: boolean
  /** They come back spread over this time, in ms. */
  readonly spreadMs: number
}

export interface HubCore<C extends Contract, User> {
  readonly limits: Limits
  readonly connect: (link: Link, request: unknown) => HubConnection
  readonly channel: <P extends keyof Definitions<C> & string>(
    pattern: P,
    params: Params<P>,
  ) => ChannelHandle<Definitions<C>[P]>
  readonly connections: () => Iterable<ConnectedClient<User>>
  /** Sends every client away. */
  readonly disconnectAll: (departure: Departure) => void
  /** Sends every client away, tells presence, and closes the log. */
  readonly close: () => Promise<void>
}

const silent: Logger = { warn: () => {}, error: () => {} }

/** How often channels that are kept by age are trimmed, in ms. */
const TRIM_INTERVAL_MS = 60_000

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
  const handleReadError = (name: string, error: unknown) =>
    logger.error(`the log of ${name} could not be read, trying again`, { error })
  const fanOut = new FanOut(clock)
  const loader = new Loader((channel) => load(core, channel))
  const catchUp = new CatchUp(log, clock, limits, loader, ({ name }, error) => handleReadError(name, error))
  const channelPorts: ChannelPorts = {
    log,
    burstBytesMax: limits.burstBytesMax,
    markDirty: (channel) => fanOut.mark(channel),
    catchUp: (subscription) => catchUp.enqueue(subscription),
    handleFillError: ({ name }, error, retry) => {
      handleReadError(name, error)
      clock.after(1_000, retry)
    },
  }
  const channels = new Channels(channelPorts, (channel) => {
    trimmer.track(channel.name, keepOf(channel.match))
    if (channel.match.definition.presence !== undefined) members.adopt(channel)
  })
  const trimmer = new Trimmer(log, clock, TRIM_INTERVAL_MS, logger)
  const publisher = new Publisher(log, clock, limits, new RateCap(clock), (name, keep) =>
    trimmer.track(name, keep),
  )
  const target = (name: string): Target => ({ name, match: matchOf(contract, name) })
  const members = new Members({ node: entropy.uniqueId(), publisher, log, clock, logger, limits, target })
  const core: Core = {
    contract,
    handlers,
    authenticate: options.authenticate as Core["authenticate"],
    limits,
    clock,
    entropy,
    log,
    logger,
    channels,
    catchUp,
    connections: new Connections(clock, limits),
    members,
    publisher,
    handle: (each) => channelHandle(core, each),
  }
  return {
    limits,
    connect: (link, request) => connect(core, link, request),
    channel: (pattern, params) =>
      core.handle(target(formatName(pattern, params))) as ChannelHandle<ChannelDefinition> as never,
    connections: () => connectedClients(core),
    disconnectAll: (departure) => disconnectAll(core, departure),
    close: async () => {
      disconnectAll(core, { reason: "the server closes", reconnect: true, spreadMs: 0 })
      trimmer.close()
      await core.members.close()
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

/** A handler for something that the contract does not declare would never run: most likely a slip. */
function checkHandlers(contract: Contract, channels: Readonly<Record<string, Handlers>>): void {
  for (const pattern of Object.keys(channels)) {
    if (!Object.hasOwn(contract.channels, pattern)) {
      throw new TypeError(`hub options: the contract declares no channel "${pattern}"`)
    }
  }
  for (const [pattern, { snapshot }] of Object.entries(contract.channels)) {
    const handlers: Handlers | undefined = channels[pattern]
    if (snapshot !== undefined && handlers?.snapshot === undefined) {
      throw new TypeError(
        `hub options: channel "${pattern}" declares a snapshot, so it needs a loader "snapshot"`,
      )
    }
  }
}

function load(core: Core, { name, match }: Target): unknown {
  return core.handlers[match.pattern]?.snapshot?.({
    params: match.params,
    channel: core.handle({ name, match }),
  })
}

function connect(core: Core, link: Link, request: unknown): HubConnection {
  const inbox = new Inbox(link, core.limits.pendingMessagesPerConnectionMax)
  const connection = new Connection(core.entropy.uniqueId(), new Outlet(link), inbox, request)
  core.connections.add(connection)
  return new Driver(core, connection)
}

/** Leads what happens on the wire to the machines that it concerns. */
class Driver implements HubConnection {
  readonly #core: Core
  readonly #connection: Connection

  constructor(core: Core, connection: Connection) {
    this.#core = core
    this.#connection = connection
  }

  get id(): string {
    return this.#connection.id
  }

  handleMessage(decoded: unknown, bytes: number): void {
    receive(this.#core, this.#connection, decoded, bytes)
  }

  handleInvalid(error: HoldfastError): void {
    this.#connection.heard = true
    this.#connection.fail(error)
  }

  handleAlive(): void {
    this.#connection.heard = true
  }

  handleDrain(): void {
    const connection = this.#connection
    connection.heard = true
    connection.outlet.blocked = false
    for (const subscription of connection.subscriptions.values()) {
      if (subscription !== undefined) this.#core.catchUp.enqueue(subscription)
    }
  }

  handleClose(orderly: boolean): void {
    const connection = this.#connection
    if (connection.state === "closed") return
    connection.state = "closed"
    this.#core.connections.remove(connection)
    for (const subscription of connection.subscriptions.values()) {
      if (subscription !== undefined) this.#core.channels.remove(subscription)
    }
    connection.subscriptions.clear()
    this.#core.members.release(connection, orderly)
  }
}

function* connectedClients<User>(core: Core): Generator<ConnectedClient<User>> {
  for (const connection of core.connections) {
    if (connection.state !== "open") continue
    const { id, member } = connection
    yield {
      id,
      member,
      user: connection.user as User,
      close: (reason) => sendAway(connection, reason, false, 0, "disconnected"),
      drop: () => connection.outlet.link.destroy(),
    }
  }
}

function disconnectAll(core: Core, { reason, reconnect, spreadMs }: Departure): void {
  for (const connection of core.connections) {
    const afterMs = Math.round(core.entropy.random() * spreadMs)
    sendAway(connection, reason, reconnect, afterMs, reconnect ? "goingAway" : "disconnected")
  }
}

function sendAway(
  connection: Connection,
  reason: string,
  reconnect: boolean,
  afterMs: number,
  why: CloseReason,
): void {
  if (connection.state === "open") connection.send({ type: "goaway", reason, reconnect, afterMs })
  connection.close(why, reason)
}
