import type { Entry } from "../../log/entry.ts"
import type { Log } from "../../log/log.ts"
import type { AppendOptions, Operation, Outcome } from "../../log/operation.ts"
import { assertEqual } from "./assert.ts"
import { entryOf, keepAll } from "./operations.ts"

export function append(
  log: Log,
  channel: string,
  operation: Operation,
  options: Partial<AppendOptions> = {},
): Promise<Outcome> {
  return log.append(channel, operation, { retention: keepAll, ...options })
}

/** Carries out operations that have to append an entry each, and knows what these entries have to be. */
export interface Recorder {
  readonly one: (operation: Operation, options?: Partial<AppendOptions>) => Promise<Entry>
  /** One after another. */
  readonly all: (operations: readonly Operation[], options?: Partial<AppendOptions>) => Promise<Entry[]>
}

export function recorder(log: Log, channel: string, usual: Partial<AppendOptions> = {}): Recorder {
  const latest = new Map<string, Entry>()

  const one = async (operation: Operation, options: Partial<AppendOptions> = {}): Promise<Entry> => {
    const given = { ...usual, ...options }
    const { status, position } = await append(log, channel, operation, given)
    assertEqual(status, "appended", `the outcome of ${operation.operation} ${operation.key ?? ""}`)
    const entry = entryOf(operation, position.offset)
    if (operation.operation === "append") return entry
    const id = JSON.stringify([entry.collection, entry.key])
    const before = latest.get(id)
    const version = given.condition?.version ?? before?.version ?? 0
    const changed = { ...entry, ...(before && inherited(entry, before)), version }
    latest.set(id, changed)
    return changed
  }

  return {
    one,
    all: async (operations, options) => {
      const entries: Entry[] = []
      for (const operation of operations) entries.push(await one(operation, options))
      return entries
    },
  }
}

/** What a change leaves as it was before. */
function inherited({ operation }: Entry, { operation: last, created, holder }: Entry): Partial<Entry> {
  if (operation === "extend") return { created, holder }
  // a key that is put after its removal is another one
  return operation === "put" && last === "remove" ? {} : { created }
}
