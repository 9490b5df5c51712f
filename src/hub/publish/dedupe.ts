import type { Dedupe } from "../../log/operation.ts"
import { encodeBody } from "../../protocol/msgpack.ts"
import type { Core } from "../core.ts"

/**
 * What makes a repetition find the first one.
 * @param scope whose key it is: a key counts within its scope, so that nobody can take another's
 * @param asked what the key stands for: the same key for something else is a conflict
 */
export function dedupe(
  { entropy, limits }: Pick<Core, "entropy" | "limits">,
  scope: readonly unknown[],
  idempotencyKey: string,
  asked: readonly unknown[],
): Dedupe {
  return {
    // as JSON, for scope and key may hold any character
    key: JSON.stringify([...scope, idempotencyKey]),
    fingerprint: entropy.digest(encodeBody(asked)),
    windowMs: limits.idempotencyWindowMs,
  }
}
