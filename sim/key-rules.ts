import type { AppendOptions, Operation, Outcome } from "holdfast/testing"

/** What is known of a key from what the log has answered. */
interface Known {
  hasValue: boolean
  offset: number
  version: number
  lapsesAtMs: number
  body: Uint8Array
}

/** The keys of one collection. */
class Keys {
  readonly known = new Map<string, Known>()
  /** Of all removals: the log may have forgotten any of them, and keeps the highest version. */
  removedVersion = 0
}

/**
 * The rules of conditions, stated a second time: whether the log was right to carry an operation out, or to refuse it. Knows what the
 * log has answered, and nothing of what it holds.
 */
export class KeyRules {
  readonly #collections = new Map<string, Keys>()

  /** What is wrong with an answer; undefined when nothing is. `nowMs`: by the log's clock. */
  judge(operation: Operation, options: AppendOptions, outcome: Outcome, nowMs: number): string | undefined {
    if (operation.operation === "append" || outcome.status === "duplicate") return undefined
    const keys = this.#keys(operation.collection)
    const key = operation.key ?? `${outcome.position.offset}`
    const known = keys.known.get(key)
    const wrong = outcome.status === "refused" ? unjust : outcome.status === "appended" ? unmet : unlike
    const found = wrong(operation, options, { known, keys, nowMs })
    if (outcome.status !== "refused") this.#note(keys, key, operation, options, outcome, nowMs)
    return found && `${operation.operation} of ${operation.collection} ${key} was ${outcome.status}: ${found}`
  }

  /** The channel was forgotten, up to here: with its keys go their versions. */
  forget(base: number): void {
    for (const { known } of this.#collections.values())
      for (const [key, { offset }] of known) if (offset <= base) known.delete(key)
  }

  #keys(collection: string): Keys {
    const keys = this.#collections.get(collection) ?? new Keys()
    this.#collections.set(collection, keys)
    return keys
  }

  #note(
    keys: Keys,
    key: string,
    operation: Operation,
    { condition }: AppendOptions,
    { status, position }: Outcome,
    nowMs: number,
  ): void {
    const before = keys.known.get(key) ?? {
      hasValue: false,
      offset: 0,
      version: 0,
      lapsesAtMs: Number.POSITIVE_INFINITY,
      body: operation.body,
    }
    const isPut = operation.operation === "put"
    const version = condition?.version ?? before.version
    if (operation.operation === "remove") keys.removedVersion = Math.max(keys.removedVersion, version)
    keys.known.set(key, {
      hasValue: operation.operation !== "remove",
      offset: status === "appended" ? position.offset : before.offset,
      version,
      lapsesAtMs: isPut ? nowMs + (operation.leaseMs ?? Number.POSITIVE_INFINITY) : before.lapsesAtMs,
      body: operation.operation === "extend" ? joined(before.body, operation.body) : operation.body,
    })
  }
}

interface Circumstances {
  readonly known: Known | undefined
  readonly keys: Keys
  readonly nowMs: number
}

type Rule = (operation: Operation, options: AppendOptions, circumstances: Circumstances) => string | undefined

/** Appended, though a condition did not hold. */
const unmet: Rule = (operation, { condition = {} }, { known, nowMs }) => {
  const { latest, version, lapsed } = condition
  const hasValue = known?.hasValue === true
  if (operation.operation === "extend" && !hasValue) return "there was no value to extend"
  // a removal may have been forgotten
  const isLatest = latest === (known?.offset ?? 0) || (latest === 0 && !hasValue)
  if (latest !== undefined && !isLatest) return `its latest entry was #${known?.offset ?? 0}, not #${latest}`
  if (version !== undefined && known !== undefined) {
    const isLastWord = operation.operation === "remove" && hasValue && version === known.version
    if (version <= known.version && !isLastWord) return `version ${version} came after ${known.version}`
  }
  if (lapsed && !(hasValue && known.lapsesAtMs <= nowMs))
    return hasValue ? `its lease goes on for ${known.lapsesAtMs - nowMs} ms` : "it had no value"
  return undefined
}

/** Refused, though every condition held. */
const unjust: Rule = (operation, options, circumstances) => {
  const { condition = {} } = options
  const { known, keys } = circumstances
  if (unmet(operation, options, circumstances) !== undefined) return undefined
  // what was forgotten may still count
  const isForgotten = known?.hasValue !== true
  if (isForgotten && condition.latest !== undefined) return undefined
  if (isForgotten && condition.version !== undefined && condition.version <= keys.removedVersion)
    return undefined
  return "nothing stood against it"
}

/** Said to be there already, though it was not. */
const unlike: Rule = (operation, { condition = {} }, { known }) => {
  const { version } = condition
  if (version !== undefined && version < (known?.version ?? 0))
    return `version ${version} came after ${known?.version}`
  if (operation.operation === "remove") return known?.hasValue === true ? "it had a value" : undefined
  return known?.hasValue === true && isSame(known.body, operation.body) ? undefined : "it was another value"
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  return Uint8Array.from([...one, ...other])
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.byteLength === other.byteLength && one.every((byte, index) => byte === other[index])
}
