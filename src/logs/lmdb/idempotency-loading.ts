import { IdempotencyKeys } from "../memory/idempotency-keys.ts"
import type { DedupeJournal, Journalled } from "./dedupe-journal.ts"

/** How many chunks of the journal, and how many keys, one step takes. */
export const CHUNKS_PER_STEP = 32
export const KEYS_PER_STEP = 1_000

/** Whose keys are read, from which chunk on, and by when they must not have expired. */
export interface IdempotencyKeysAt {
  readonly channel: number
  readonly chunk: number
  readonly nowMs: number
}

/**
 * Reads a channel's idempotency keys step by step. The chain of chunks leads from the newest key to the oldest, but a set of keys
 * takes them in the order in which they came.
 */
export function* idempotencyKeysOf(
  journal: Pick<DedupeJournal, "chunk">,
  { channel, chunk, nowMs }: IdempotencyKeysAt,
): Generator<undefined, IdempotencyKeys> {
  const chunks: Journalled[][] = []
  for (let next = chunk; next > 0; ) {
    const found = journal.chunk(next, channel)
    if (found === undefined) break
    chunks.push(found.journalled.filter(({ at, dedupe }) => at + dedupe.windowMs > nowMs))
    next = found.before
    if (next > 0 && chunks.length % CHUNKS_PER_STEP === 0) yield
  }
  const keys = new IdempotencyKeys()
  let taken = 0
  for (const journalled of chunks.reverse()) {
    taken += journalled.length
    if (taken > KEYS_PER_STEP) {
      taken = journalled.length
      yield
    }
    for (const { dedupe, account, offset, at } of journalled) keys.add(dedupe, account, offset, at)
  }
  return keys
}
