import type { AppendOptions, Draft, LogKeep } from "../../log/log.ts"
import { encodeRecord } from "./frames.ts"
import { digest16 } from "./keys.ts"
import type { RedisLogSettings } from "./options.ts"
import type { Knowledge } from "./partitions.ts"

/** What comes before a draft's record: idempotency key (16 bytes), fingerprint (8), window (8), `replaces` (8), length (4). */
const DRAFT_BYTES = 44
const NUMBERS = 11
const NODE_BYTES = 8
/** Stands for what was not given. */
const NONE = -1

/** A draft and its options, as the write script reads them. The record is the rest of it. */
export function packDraft(draft: Draft, { dedupe, replaces }: AppendOptions): Buffer {
  const record = encodeRecord(draft)
  const head = Buffer.alloc(DRAFT_BYTES)
  if (dedupe !== undefined) {
    digest16(dedupe.key).copy(head)
    digest16(dedupe.fingerprint).copy(head, 16, 0, 8)
  }
  head.writeDoubleBE(dedupe?.windowMs ?? NONE, 24)
  head.writeDoubleBE(replaces ?? NONE, 32)
  head.writeUInt32BE(record.length, 40)
  return Buffer.concat([head, record])
}

export interface BatchFields {
  readonly number: number
  readonly nowMs: number
  readonly keep: Required<LogKeep>
  readonly drafts: readonly Buffer[]
}

/** All that the write script is given in numbers, the node's name, and the drafts: one argument instead of many. */
export function packBatch(
  { number, nowMs, keep, drafts }: BatchFields,
  known: Knowledge,
  node: Buffer,
  isSynced: boolean,
  { keysPerChannelMax, tombstonesPerChannelMax, dedupeKeysPerChannelMax }: RedisLogSettings,
): Buffer {
  const head = Buffer.allocUnsafe(8 * NUMBERS + NODE_BYTES)
  const numbers = [
    known.generation,
    known.top,
    number,
    nowMs,
    keep.events,
    keep.forMs,
    keep.bytes,
    keysPerChannelMax,
    tombstonesPerChannelMax,
    dedupeKeysPerChannelMax,
    isSynced ? 1 : 0,
  ]
  for (const [index, value] of numbers.entries()) head.writeDoubleBE(value, 8 * index)
  node.copy(head, 8 * NUMBERS)
  return Buffer.concat([head, ...drafts])
}
