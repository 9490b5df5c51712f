import { createClient } from "redis"
import { has, isCluster, isPlain, isSentinel, type RedisClient } from "./clients.ts"
import { clusterSession } from "./cluster-session.ts"
import { unusable } from "./failure.ts"
import type { OpenSession } from "./session.ts"
import { plainSession, sentinelSession } from "./single-session.ts"

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
