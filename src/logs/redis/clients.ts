import { RESP_TYPES } from "redis"
import { failureOf } from "./failure.ts"
import type { Argument, MessageListener } from "./session.ts"

/**
 * A client of the official library, made by `createClient`, `createCluster` or `createSentinel`, connected or not. It is
 * only a pattern: the log makes connections of its own with its options, and leaves this one alone.
 */
export interface RedisClient {
  readonly duplicate: (...args: never[]) => unknown
}

/** What is used of the library's clients. Their own types depend on the modules and scripts that a client is made with. */
export interface Connectable {
  readonly connect: () => Promise<unknown>
  readonly destroy: () => unknown
  readonly on: (event: string, listener: (...args: unknown[]) => void) => unknown
  readonly sSubscribe: (channel: string, listener: MessageListener, bufferMode: true) => Promise<unknown>
  readonly sUnsubscribe: (channel: string, listener: MessageListener, bufferMode: true) => Promise<unknown>
}

export interface PlainClient extends Connectable {
  readonly isReady: boolean
  readonly once: (event: string, listener: () => void) => unknown
  readonly options?: { readonly socket?: object; readonly database?: number }
  readonly duplicate: (overrides?: object) => PlainClient
  readonly sendCommand: (args: readonly Argument[], options?: object) => Promise<unknown>
}

export interface ClusterNode {
  readonly host: string
  readonly port: number
  readonly client?: PlainClient
}

export interface ClusterClient extends Connectable {
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

export interface SentinelClient extends Connectable {
  readonly duplicate: () => SentinelClient
  readonly getMasterNode: () => unknown
  readonly sendCommand: (isReadonly: boolean, args: readonly Argument[], options?: object) => Promise<unknown>
}

export const BINARY = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }

export function isCluster(client: unknown): client is ClusterClient {
  return has(client, "duplicate", "nodeClient", "sendCommand")
}

export function isSentinel(client: unknown): client is SentinelClient {
  return has(client, "duplicate", "getMasterNode", "sendCommand")
}

export function isPlain(client: unknown): client is PlainClient {
  return has(client, "duplicate", "connect", "sendCommand", "sSubscribe")
}

export function has(value: unknown, ...methods: string[]): boolean {
  if (typeof value !== "object" || value === null) return false
  return methods.every((method) => typeof (value as Record<string, unknown>)[method] === "function")
}

/**
 * A client like `pattern` that does not reconnect by itself and keeps no commands for later: the log itself
 * decides what is sent again, and when.
 */
export function single(pattern: PlainClient): PlainClient {
  const socket = { ...pattern.options?.socket, reconnectStrategy: false }
  return pattern.duplicate({ disableOfflineQueue: true, socket })
}

/** The library throws, or rejects, when there is nothing to destroy any more. */
export function end(client: Connectable): void {
  try {
    Promise.resolve(client.destroy()).catch(failureOf)
  } catch {
    return
  }
}
