import type { Log } from "../../log/log.ts"
import type { AppendOptions, Operation } from "../../log/operation.ts"
import { assertEqual, assertRejects } from "./assert.ts"
import { readAll } from "./pages.ts"
import { append } from "./recorder.ts"

/** Checks that the operation is beyond a quota, and changes nothing. */
export async function assertExceeded(
  log: Log,
  operation: Operation,
  options: Partial<AppendOptions>,
  what: string,
): Promise<void> {
  const before = [await log.head("a"), await readAll(log, "a")]
  await assertRejects(append(log, "a", operation, options), "quota_exceeded", what)
  assertEqual([await log.head("a"), await readAll(log, "a")], before, `what is in the log after ${what}`)
}
