import type { Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { chosenOptions } from "../chosen-options.ts"
import { Appends } from "./appends.ts"
import { redisBus } from "./bus.ts"
import { ChannelStore } from "./channel-store.ts"
import type { RedisClient } from "./clients.ts"
import { Connection } from "./connection.ts"
import { unusable } from "./failure.ts"
import { placeOf } from "./keys.ts"
import { Live } from "./live.ts"
import { type RedisLogOptions, type RedisLogSettings, redisLogDefaults } from "./options.ts"
import { Partitions } from "./partitions.ts"
import { topologyOf } from "./topology.ts"
import { Watching } from "./watching.ts"

export type { RedisClient } from "./clients.ts"
export { type RedisLogOptions, redisLogDefaults } from "./options.ts"

/** Marks of repeated appends are kept for a minute, so nothing may be repeated for longer. */
const WAIT_MS_MAX = 50_000

/**
 * A log on Redis 7 or Valkey that many nodes share: a single server, Sentinel, or a Cluster. Entries are kept as that
 * Redis is configured to keep what it has acknowledged.
 *
 * `target` is a URL, or a client of the package `redis` whose options are to be used. Connecting begins at once; appends
 * and reads wait for it.
 * @throws HoldfastError `log_unusable` when `target` or an option cannot be right
 */
export function redisLog(target: string | RedisClient, options: RedisLogOptions = {}): Log {
  const settings = checked(chosenOptions<RedisLogSettings>("redisLog", redisLogDefaults, options))
  const { openSession, database } = topologyOf(target)
  const connection = new Connection(openSession, settings)
  const partitions = new Partitions()
  const store = new ChannelStore(connection, partitions, settings)
  const appends = new Appends(store, connection, settings)
  const live = new Live(connection, settings)
  const watching = new Watching(store, partitions, live, settings)
  const bus = redisBus(connection, live, settings, database)
  let closing: Promise<void> | undefined

  const place = (channel: string) => {
    if (closing !== undefined) throw new HoldfastError("closed", "The log was closed.")
    return placeOf(settings.prefix, channel, database)
  }

  return {
    shared: true,
    durable: true,
    bus,
    append: async (channel, operation, options) =>
      appends.append(channel, place(channel), operation, options),
    head: async (channel) => store.head(place(channel), watching.isWatched(channel)),
    read: async (channel, range) => store.read(place(channel), range),
    readBack: async (channel, range) => store.readBack(place(channel), range),
    find: async (channel, collection, key) => store.find(place(channel), collection, key),
    offsetOfLast: async (channel, collection, count) => store.offsetOfLast(place(channel), collection, count),
    watch: async (channel, listener) => watching.watch(channel, place(channel), listener),
    trim: async (channel, retention, nowMs) =>
      store.trim(place(channel), retention, nowMs, watching.isWatched(channel)),
    watchAvailability: (listener) => connection.reachability.watch(listener),
    close() {
      closing ??= appends.drained().then(() => {
        watching.close()
        bus.close()
        live.close()
        connection.close()
      })
      return closing
    },
  }
}

function checked(settings: RedisLogSettings): RedisLogSettings {
  const { prefix, waitMs } = settings
  if (prefix === "" || /[{}]/.test(prefix))
    throw unusable("A redisLog's prefix has at least one character and no braces.")
  if (!(waitMs > 0 && waitMs <= WAIT_MS_MAX))
    throw unusable(`A redisLog's waitMs is between 1 and ${WAIT_MS_MAX}.`)
  return settings
}
