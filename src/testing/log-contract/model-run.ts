import type { Check, LogCheck } from "./fixture.ts"

export function modelChecks(_check: Check, _seeds: readonly number[]): LogCheck[] {
  return []
}
