import { createClient, RESP_TYPES } from "redis"
import { failureOf, isDown, isPassing, unavailable, unusable } from "./failure.ts"
import { partitionOf, slotOf } from "./keys.ts"
import type { Argument, Line, MessageListener, OpenSession, Session } from "./session.ts"

/**
 * A client of the official library, made by `createClient`, `createCluster` or `createSentinel`, connected or not. It is
 * only a pattern: the log makes connections of its own with its options, and leaves this one alone.
 */
export interface RedisClient {
  readonly duplicate: (...args: never[]) => unknown
}

/** What is used of the library's clients. Their own types depend on the modules and scripts that a client is made with. */
interface Connectable {
  readonly connect: () => Promise<unknown>
  readonly destroy: () => unknown
  readonly on: (event: string, listener: (...args: unknown[]) => void) => unknown
  readonly sSubscribe: (channel: string, listener: MessageListener, bufferMode: true) => Promise<unknown>
  readonly sUnsubscribe: (channel: string, listener: MessageListener, bufferMode: true) => Promise<unknown>
}

interface PlainClient extends Connectable {
  readonly isReady: boolean
  readonly once: (event: string, listener: () => void) => unknown
  readonly options?: { readonly socket?: object; readonly database?: number }
  readonly duplicate: (overrides?: object) => PlainClient
  readonly sendCommand: (args: readonly Argument[], options?: object) => Promise<unknown>
}

interface ClusterNode {
  readonly host: string
  readonly port: number
  readonly client?: PlainClient
}

interface ClusterClient extends Connectable {
  readonly duplicate: (overrides?: object) => ClusterClient
  readonly masters: readonly ClusterNode[]
  readonly slots: readonly ({ readonly master: ClusterNode } | undefined)[]
  readonly nodeClient: (node: ClusterNode) => Promise<PlainClient> | PlainClient
  readonly sendCommand: (
    firstKey: string,
    isReadonly: boolean,
    args: readonly Argument[],
    options?: object,
  ) => Promise<unknown>
}

interface SentinelClient extends Connectable {
  readonly duplicate: () => SentinelClient
  readonly getMasterNode: () => unknown
  readonly sendCommand: (isReadonly: boolean, args: readonly Argument[], options?: object) => Promise<unknown>
}

const BINARY = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }

export interface Topology {
  readonly openSession: OpenSession
  /** The number of the database in there, as far as the client says it. */
  readonly database: number
}

/** How sessions are made for a URL or a client. @throws HoldfastError `log_unusable` when it is neither */
export function topologyOf(target: string | RedisClient): Topology {
  const client: unknown = typeof target === "string" ? clientFor(target) : target
  // The library puts it before the keys of its own methods, not of commands as they are sent here.
  if (has(client, "duplicate") && (client as { readonly _keyPrefix?: string })._keyPrefix)
    throw unusable(
      "redisLog does not use a client's keyPrefix. Give it a client without one, and what keys begin with as redisLog's option prefix.",
    )
  // Otherwise one shard that is away would keep the client from connecting to the others.
  if (isCluster(client)) {
    const openSession = () => clusterSession(client.duplicate({ minimizeConnections: true }))
    return { openSession, database: 0 }
  }
  if (isSentinel(client)) return { openSession: () => sentinelSession(client), database: 0 }
  if (isPlain(client)) {
    const openSession: OpenSession = (handleLost) => plainSession(client, handleLost)
    return { openSession, database: client.options?.database ?? 0 }
  }
  throw unusable("redisLog takes a URL, or a client made by createClient, createCluster or createSentinel.")
}

function clientFor(url: string): unknown {
  try {
    // An empty one would be taken for the library's default.
    if (url !== "") return createClient({ url })
    throw new TypeError("empty")
  } catch {
    // The library's message would repeat the URL, and with it the password.
    throw unusable(
      "This is no URL of a Redis. It looks like redis://user:password@host:6379/0, or rediss:// for TLS.",
    )
  }
}

function isCluster(client: unknown): client is ClusterClient {
  return has(client, "duplicate", "nodeClient", "sendCommand")
}

function isSentinel(client: unknown): client is SentinelClient {
  return has(client, "duplicate", "getMasterNode", "sendCommand")
}

function isPlain(client: unknown): client is PlainClient {
  return has(client, "duplicate", "connect", "sendCommand", "sSubscribe")
}

function has(value: unknown, ...methods: string[]): boolean {
  if (typeof value !== "object" || value === null) return false
  return methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function")
}

function plainSession(pattern: PlainClient, handleLost: () => void): Session {
  const client = single(pattern)
  client.on("error", handleLost)
  const ask = (args: readonly Argument[]) => client.sendCommand(args, BINARY)
  return {
    isSingle: true,
    connect: async () => void (await client.connect()),
    ask,
    check: async () => void (await ask(["PING"])),
    send: async (_key, args, start) => (start() ? ask(args) : undefined),
    route: async () => ({ server: "", line: () => plainLine(pattern) }),
    destroy: () => end(client),
  }
}

function clusterSession(cluster: ClusterClient): Session {
  // A node that is gone is for the library to replace; what concerns us comes as the failure of a command.
  cluster.on("error", () => undefined)
  const ask = (args: readonly Argument[]) =>
    Promise.any(
      cluster.masters.map(async (master) => (await cluster.nodeClient(master)).sendCommand(args, BINARY)),
    )
  const serverOf = async (partition: number) => {
    const master = cluster.slots[slotOf(partition)]?.master
    if (master === undefined) throw unavailable("No server of the Redis Cluster has this channel's slot")
    return { master, client: master.client ?? (await cluster.nodeClient(master)) }
  }
  const readiness = new Readiness()
  return {
    isSingle: false,
    connect: async () => void (await cluster.connect()),
    ask,
    check: () => checkCluster(cluster, ask),
    async send(key, args, start) {
      await readiness.of((await serverOf(partitionOf(key))).client)
      return start() ? cluster.sendCommand(key, false, args, BINARY) : undefined
    },
    async route(partition) {
      const { master, client } = await serverOf(partition)
      return { server: `${master.host}:${master.port}`, line: () => plainLine(client) }
    },
    destroy: () => end(cluster),
  }
}

/**
 * A cluster whose slots are not all served refuses everything, unless it is configured otherwise, and answers pings. One server
 * that takes commands is enough: another may have lost the others, or found them not yet.
 */
async function checkCluster({ masters }: ClusterClient, ask: Session["ask"]): Promise<void> {
  const clients = masters.flatMap(({ client }) => (client?.isReady === true ? [client] : []))
  if (clients.length === 0) return void (await ask(["PING"]))
  try {
    await Promise.any(clients.map(checkState))
  } catch (error) {
    throw error instanceof AggregateError ? (error.errors.find(isDown) ?? error) : error
  }
}

async function checkState(client: PlainClient): Promise<void> {
  let info: string
  try {
    info = String(await client.sendCommand(["CLUSTER", "INFO"]))
  } catch (error) {
    // who may not ask does not know
    if (isPassing(error)) throw error
    return
  }
  if (info.includes("cluster_state:fail")) throw new Error("CLUSTERDOWN The cluster is down")
}

/** Waits for connections. The library would take a command without one, and send it long after it was given up here. */
class Readiness {
  readonly #awaited = new WeakMap<PlainClient, Promise<void>>()

  async of(client: PlainClient): Promise<void> {
    if (client.isReady) return
    const awaited =
      this.#awaited.get(client) ??
      new Promise<void>((resolve) => {
        client.once("ready", () => {
          this.#awaited.delete(client)
          resolve()
        })
      })
    this.#awaited.set(client, awaited)
    await awaited
  }
}

function sentinelSession(pattern: SentinelClient): Session {
  const sentinel = pattern.duplicate()
  sentinel.on("error", () => undefined)
  const ask = (args: readonly Argument[]) => sentinel.sendCommand(false, args, BINARY)
  return {
    isSingle: true,
    connect: async () => void (await sentinel.connect()),
    ask,
    check: async () => void (await ask(["PING"])),
    send: async (_key, args, start) => (start() ? ask(args) : undefined),
    route: async () => ({ server: "", line: () => sentinelLine(pattern.duplicate()) }),
    destroy: () => end(sentinel),
  }
}

/**
 * A client like `pattern` that does not reconnect by itself and keeps no commands for later: what is sent when has to stay in
 * the hands of those who know what may be repeated.
 */
function single(pattern: PlainClient): PlainClient {
  const socket = { ...pattern.options?.socket, reconnectStrategy: false }
  return pattern.duplicate({ disableOfflineQueue: true, socket })
}

function plainLine(pattern: PlainClient): Line {
  const client = single(pattern)
  return line(client, async () => void (await client.sendCommand(["PING"])), ["error", "end"])
}

/** The library keeps the connection to itself. Whatever happens to it, it is made anew. */
function sentinelLine(sentinel: SentinelClient): Line {
  const ping = async () => void (await sentinel.sendCommand(false, ["PING"]))
  return line(sentinel, ping, ["error", "end", "topology-change"])
}

function line(client: Connectable, ping: () => Promise<void>, losses: readonly string[]): Line {
  let isLost = false
  return {
    async open({ handleLost, handleMoved }) {
      const lose = () => {
        if (isLost) return
        isLost = true
        handleLost()
      }
      // Before there is a listener for errors, one would end the process.
      client.on("error", () => undefined)
      await client.connect()
      for (const event of losses) client.on(event, lose)
      // A server of a cluster ends the subscriptions in a slot that it gives away.
      client.on("sharded-channel-moved", (live) => handleMoved(String(live)))
    },
    subscribe: async (live, listener) => void (await client.sSubscribe(live, listener, true)),
    unsubscribe: async (live, listener) => void (await client.sUnsubscribe(live, listener, true)),
    ping,
    destroy() {
      isLost = true
      end(client)
    },
  }
}

/** The library throws, or rejects, when there is nothing to destroy any more. */
function end(client: Connectable): void {
  try {
    Promise.resolve(client.destroy()).catch(failureOf)
  } catch {
    return
  }
}
