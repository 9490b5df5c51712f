import type { AppendOptions, Outcome } from "../../log/operation.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { RedisLogSettings } from "./options.ts"

/** What the write script makes of an operation, as batch.lua numbers it. */
const CODES = [
  "appended",
  "unchanged",
  "duplicate",
  "refused",
  "outdated",
  "conflict",
  "keysOfAccount",
  "keysOfCollection",
  "idempotencyKeysOfAccount",
  "idempotencyKeysOfChannel",
  "collectionsOfChannel",
  "otherKind",
] as const

const OUTCOME_BYTES = 17

export interface ScriptOutcome {
  readonly code: (typeof CODES)[number]
  readonly offset: number
  readonly version: number
}

/** Of each operation: a code (1 byte), an offset (8) and a version (8). */
export function decodeOutcomes(bytes: Buffer): ScriptOutcome[] {
  return Array.from({ length: bytes.length / OUTCOME_BYTES }, (_, index) => {
    const position = index * OUTCOME_BYTES
    const code = CODES[bytes.readUInt8(position)]
    if (code === undefined) throw new RangeError(`outcome ${index} has no code`)
    return { code, offset: bytes.readDoubleBE(position + 1), version: bytes.readDoubleBE(position + 9) }
  })
}

/** The outcome, or the error that the promise of the append rejects with. */
export function settled(
  { code, offset, version }: ScriptOutcome,
  epoch: string,
  { account }: AppendOptions,
  limits: RedisLogSettings,
): Outcome | Error {
  const position = { epoch, offset }
  switch (code) {
    case "appended":
    case "unchanged":
    case "duplicate":
    case "refused":
      return { status: code, position }
    case "outdated":
      return { status: "refused", position, version }
    case "conflict":
      return new HoldfastError("idempotency_conflict", errorCodes.idempotency_conflict)
    case "keysOfAccount":
      return spent("keys", account?.keysMax)
    case "keysOfCollection":
      return full("as many keys in this channel as one may have", limits.keysPerCollectionMax)
    case "idempotencyKeysOfAccount":
      return spent("idempotency keys", account?.idempotencyKeysMax)
    case "idempotencyKeysOfChannel":
      return full(
        "as many idempotency keys in this channel as one may have",
        limits.idempotencyKeysPerChannelMax,
      )
    case "collectionsOfChannel":
      return full("as many collections in this channel as one may have", COLLECTIONS_MAX)
    case "otherKind":
      return new TypeError("The collection holds either facts or keys, and this operation is for the other.")
  }
}

/** As many as head.lua lets a channel have. */
const COLLECTIONS_MAX = 255

function full(what: string, limit: number): HoldfastError {
  return new HoldfastError("log_full", `The log has ${what}. Nothing was published.`, { limit })
}

function spent(what: string, limit = 0): HoldfastError {
  const text = `The user has as many ${what} in this channel as one user may have. Nothing was published.`
  return new HoldfastError("quota_exceeded", text, { limit })
}
