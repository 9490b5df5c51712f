import type { Condition, Operation } from "./operation.ts"

/** A key as a log knows it: with a value, or as a removal that is remembered. */
export interface KeyState {
  readonly hasValue: boolean
  /** Of its latest entry. */
  readonly offset: number
  readonly version: number
  readonly holder: string
  /** When its lease ends, ms since 1970 by the clock of the log; `Infinity` without a lease. */
  readonly lapsesAt: number
}

/** `touch`: without an entry, only holder, lease and version change. `lowest`: the lowest version that is accepted now. */
export type Verdict = "apply" | "touch" | { readonly lowest: number | undefined }

/** Of what a key's condition is judged by. */
export interface Evidence {
  /** undefined: the log knows nothing of it. */
  readonly key: KeyState | undefined
  /** The highest version among the keys that the collection has trimmed and the removals that it has forgotten. */
  readonly forgottenVersion: number
  readonly nowMs: number
  /** Whether the operation's body is the key's value. */
  readonly isSameBody: () => boolean
}

const REFUSED = { lowest: undefined }

/** Whether an operation on a key may be carried out. Each log that cannot call this states the same rules in its own language. */
export function judge(operation: Operation, condition: Condition = {}, evidence: Evidence): Verdict {
  const { key, nowMs } = evidence
  const { latest, lapsed } = condition
  if (operation.operation === "extend" && key?.hasValue !== true) return REFUSED
  if (latest !== undefined && latest !== (key?.offset ?? 0)) return REFUSED
  if (lapsed && !(key?.hasValue === true && key.lapsesAt <= nowMs)) return REFUSED
  if (condition.version !== undefined) {
    const verdict = judgeVersion(operation, condition.version, evidence)
    if (verdict !== "apply") return verdict
  }
  const isQuiet = operation.operation === "put" && operation.quiet === true
  return isQuiet && key?.hasValue === true && evidence.isSameBody() ? "touch" : "apply"
}

/** Last writer wins; of equal versions a removal does. */
function judgeVersion(
  operation: Operation,
  version: number,
  { key, forgottenVersion, isSameBody }: Evidence,
): Verdict {
  const known = key?.version ?? forgottenVersion
  if (version > known) {
    // a removal has happened already: all that it still says is its version
    return operation.operation === "remove" && key?.hasValue === false ? "touch" : "apply"
  }
  if (version === known && key?.hasValue === true) {
    if (operation.operation === "remove") return "apply"
    const isRepeated = operation.operation === "put" && (operation.holder ?? "") === key.holder
    if (isRepeated && isSameBody()) return "touch"
  }
  return { lowest: known + 1 }
}
