import type { Range } from "../../log/log.ts"
import type { AppendOptions, Operation, Retention } from "../../log/operation.ts"
import { digest16 } from "./keys.ts"
import type { RedisLogSettings } from "./options.ts"
import type { Knowledge } from "./partitions.ts"
import { encodeText } from "./text.ts"

// What batch.lua and read.lua unpack. Numbers are big-endian.

const OPERATIONS = { append: 0, put: 1, extend: 2, remove: 3 } as const
const FLAGS = {
  latest: 1,
  version: 2,
  lapsed: 4,
  quiet: 8,
  dedupe: 16,
  account: 32,
  keyless: 64,
  lease: 128,
} as const
/** Where in a packed operation the number of its collection within the batch stands. */
const PLACE = 3
const NODE_BYTES = 8
const MOST = 2 ** 53
const EMPTY = Buffer.alloc(0)

export function packOperation(operation: Operation, options: AppendOptions): Buffer {
  const holder = encodeText(operation.operation === "put" ? (operation.holder ?? "") : "")
  const key = operation.key === undefined ? EMPTY : encodeText(operation.key)
  const start = Buffer.allocUnsafe(12)
  start.writeUInt8(OPERATIONS[operation.operation], 0)
  start.writeUInt16BE(flagsOf(operation, options), 1)
  start.writeUInt8(0, PLACE)
  start.writeDoubleBE(operation.at, 4)
  return Buffer.concat([
    start,
    prefixed16(holder),
    prefixed32(key),
    prefixed32(operation.body),
    ...optionals(operation, options),
  ])
}

function flagsOf(operation: Operation, { condition, dedupe, account }: AppendOptions): number {
  let flags = 0
  const set = (flag: number, isSet: boolean) => {
    if (isSet) flags |= flag
  }
  set(FLAGS.latest, condition?.latest !== undefined)
  set(FLAGS.version, condition?.version !== undefined)
  set(FLAGS.lapsed, condition?.lapsed === true)
  set(FLAGS.dedupe, dedupe !== undefined)
  set(FLAGS.account, account !== undefined)
  if (operation.operation !== "put") return flags
  set(FLAGS.quiet, operation.quiet === true)
  set(FLAGS.keyless, operation.key === undefined)
  set(FLAGS.lease, operation.leaseMs !== undefined)
  return flags
}

/** In the order in which batch.lua reads them. */
function* optionals(
  operation: Operation,
  { condition, dedupe, account }: AppendOptions,
): Generator<Uint8Array> {
  if (condition?.latest !== undefined) yield doubles(condition.latest)
  if (condition?.version !== undefined) yield doubles(condition.version)
  if (operation.operation === "put" && operation.leaseMs !== undefined) yield doubles(operation.leaseMs)
  if (dedupe !== undefined) {
    yield digest16(dedupe.key)
    yield digest16(dedupe.fingerprint).subarray(0, 8)
    yield doubles(dedupe.windowMs)
  }
  if (account !== undefined) {
    yield digest16(account.name)
    yield doubles(account.keysMax, account.idempotencyKeysMax)
  }
}

export interface Member {
  readonly collection: string
  readonly packed: Buffer
}

export interface BatchFields {
  /** Rises with each batch of this node. 0: there are no operations. */
  readonly number: number
  /** 0: nothing is trimmed. */
  readonly nowMs: number
  /** How long from now on the channel keeps its head, also without entries. */
  readonly pinMs: number
  readonly retentions: ReadonlyMap<string, Retention>
  readonly operations: readonly Member[]
}

/** All that the write script is given beside names: one argument instead of many. */
export function packBatch(
  { number, nowMs, pinMs, retentions, operations }: BatchFields,
  known: Knowledge,
  node: Buffer,
  isSynced: boolean,
  { keysPerCollectionMax, tombstonesPerCollectionMax, idempotencyKeysPerChannelMax }: RedisLogSettings,
): Buffer {
  const numbers = doubles(
    known.generation,
    known.top,
    number,
    nowMs,
    pinMs,
    keysPerCollectionMax,
    tombstonesPerCollectionMax,
    idempotencyKeysPerChannelMax,
    isSynced ? 1 : 0,
  )
  const parts: Uint8Array[] = [numbers, node.subarray(0, NODE_BYTES), Buffer.of(retentions.size)]
  const places = new Map<string, number>()
  for (const [name, { entries, forMs, bytes, removalsForMs }] of retentions) {
    places.set(name, places.size)
    parts.push(prefixed16(encodeText(name)), doubles(entries, forMs, bytes, removalsForMs))
  }
  for (const { collection, packed } of operations) {
    packed.writeUInt8(places.get(collection) as number, PLACE)
    parts.push(packed)
  }
  return Buffer.concat(parts)
}

export type ReadRange = Pick<Range, "after" | "through" | "entriesMax" | "bytesMax" | "collections">

export function packRange({ after, through, entriesMax, bytesMax, collections }: ReadRange): Buffer {
  const numbers = [after, through, entriesMax, bytesMax].map((number) => Math.min(number, MOST))
  return Buffer.concat([
    doubles(...numbers),
    ...(collections ?? []).map((name) => prefixed16(encodeText(name))),
  ])
}

function doubles(...numbers: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(8 * numbers.length)
  for (const [index, number] of numbers.entries()) bytes.writeDoubleBE(number, 8 * index)
  return bytes
}

function prefixed16(bytes: Uint8Array): Buffer {
  const length = Buffer.allocUnsafe(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function prefixed32(bytes: Uint8Array): Buffer {
  const length = Buffer.allocUnsafe(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
