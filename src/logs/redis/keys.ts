import { createHash } from "node:crypto"
import { crc16 } from "./crc16.ts"
import { encodeText } from "./text.ts"

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
  readonly keys: readonly Buffer[]
  /** The shard channel on which its appends are told. Printable, as the client library takes it for text. */
  readonly live: string
}

/** Partition, head, events, values, their order, tombstones; idempotency keys of late, and those before. */
const PARTS = ["h", "e", "v", "o", "t", "d", "c"] as const

export function placeOf(prefix: string, channel: string): Place {
  const name = encodeText(channel)
  const partition = crc16(name) % PARTITIONS
  const tagged = `${prefix}:{${partition}}`
  const parts = PARTS.map((part) => Buffer.concat([Buffer.from(`${tagged}:${part}:`), name]))
  return {
    partition,
    keys: [Buffer.from(tagged), ...parts],
    live: `${tagged}:${name.toString("base64url")}`,
  }
}

/** The slot of a Redis Cluster that a partition lies in. */
export function slotOf(partition: number): number {
  return crc16(Buffer.from(String(partition))) % CLUSTER_SLOTS
}

/** Any text in 16 bytes. Idempotency keys are chosen by clients, so it takes a digest that nobody can find a second text for. */
export function digest16(text: string): Buffer {
  return createHash("sha256").update(encodeText(text)).digest().subarray(0, 16)
}
