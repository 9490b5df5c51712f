import { collectionOf } from "../collections.ts"
import type { Evidence } from "../evidence.ts"
import type { Operation } from "../operation.ts"
import type { Life } from "../truth.ts"

/** For how long a key may count beyond its window, in ms: it is forgotten with a later append. */
const LATE_MS = 10_000

/** Whether what a client itself has published may have spent one of its quotas. */
export function mayBeSpent({ profile, truth }: Evidence, operation: Operation): boolean {
  const { idempotencyKeysPerUserMax: keysMax = 0, keysPerUserMax: valuesMax = 0 } = profile.limits
  const lives = truth.epochs.map((epoch) => truth.life(operation.channel, epoch))
  return lives.some(
    (life) =>
      keysOf(life, operation, profile.limits.idempotencyWindowMs) >= keysMax ||
      (operation.kind === "set" && valuesOf(life, operation) >= valuesMax),
  )
}

/** How many idempotency keys of this client the channel may remember when the operation is refused. */
function keysOf({ entries }: Life, { by, startedAtMs, settledAtMs = 0 }: Operation, windowMs = 0): number {
  const sinceMs = startedAtMs - windowMs - LATE_MS
  return entries.filter(
    ({ id, appendedAtMs }) =>
      id?.startsWith(`${by}.`) === true && appendedAtMs >= sinceMs && appendedAtMs <= settledAtMs,
  ).length
}

/** How many keys of this state the client has ever set. */
function valuesOf({ entries }: Life, { by, place = "" }: Operation): number {
  const collection = collectionOf(place)
  const own = entries.filter((entry) => entry.collection === collection && entry.id?.startsWith(`${by}.`))
  return new Set(own.map(({ key }) => key)).size
}
