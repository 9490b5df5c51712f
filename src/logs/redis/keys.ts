import { hash } from "node:crypto"
import { crc16 } from "./crc16.ts"
import type { Argument } from "./session.ts"
import { encodeText, isValidText } from "./text.ts"

/**
 * How many partitions there are. Offsets are drawn per partition, and a partition is one slot of a Redis Cluster, so this
 * number is a part of the stored format: enough for shards to get even shares, few enough to be cheap.
 */
export const PARTITIONS = 1_024

const CLUSTER_SLOTS = 16_384

/** Where a channel is kept. All of it is in one slot of a cluster, because all keys have the same hash tag. */
export interface Place {
  readonly partition: number
  /** The keys of the scripts, in their order. */
  readonly keys: readonly Argument[]
  /** The shard channel on which its appends are told. It is always valid text, as the client library takes no other. */
  readonly live: string
}

/**
 * Is never there. While a cluster moves a slot, it lets a script begin only if all its keys are at one place, and then ends it
 * halfway at one that is not; so one that is at neither keeps scripts from beginning until the slot has moved.
 */
const ABSENT = "n"

/** Head, values, order, pieces, accounts, idempotency keys, their expiry, answers: see channel.lua. */
const PARTS = ["h", "v", "o", "x", "a", "d", "q", "m"] as const

/** `database`: its number. Keys need not say it, but what is told on a server is told to all databases alike. */
export function placeOf(prefix: string, channel: string, database = 0): Place {
  const name = encodeText(channel)
  const partition = crc16(name) % PARTITIONS
  const tagged = `${prefix}:{${partition}}`
  // The client library writes texts together, and each Buffer on its own.
  const isText = isValidText(channel)
  const keys = PARTS.map((part) => {
    const start = `${tagged}:${part}:`
    return isText ? start + channel : Buffer.concat([Buffer.from(start), name])
  })
  const within = database === 0 ? "" : String(database)
  const live = isText
    ? `${tagged}:l${within}:${channel}`
    : `${tagged}:m${within}:${name.toString("base64url")}`
  return { partition, keys: [tagged, ...keys, `${tagged}:${ABSENT}`], live }
}

/** The partition of one of its keys, or of what is told of it. */
export function partitionOf(key: string): number {
  return Number(/\{(\d+)\}/.exec(key)?.[1])
}

/** The slot of a Redis Cluster that a partition lies in. */
export function slotOf(partition: number): number {
  return crc16(Buffer.from(String(partition))) % CLUSTER_SLOTS
}

/** Any text in 16 bytes. Idempotency keys are chosen by clients, so the digest has to be one for which no second text can be found. */
export function digest16(text: string): Buffer {
  return hash("sha256", isValidText(text) ? text : encodeText(text), "buffer").subarray(0, 16)
}
