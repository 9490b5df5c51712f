import type { Evidence, KeyState } from "../../log/condition.ts"
import type { Entry } from "../../log/entry.ts"
import type { Range } from "../../log/log.ts"
import type { AppendOptions, Operation, Retention } from "../../log/operation.ts"

/** A key with its value, or the removal that is remembered of it. */
interface ModelKey extends KeyState {
  /** Its last put with what was added since, or its removal. */
  readonly changes: readonly Entry[]
  readonly created: number
  readonly createdAt: number
  readonly account: string | undefined
}

type Span = Pick<Range, "after" | "through" | "select">

/** One collection of the model. */
export class ModelCollection {
  floor = 0
  facts: Entry[] = []
  readonly keys = new Map<string, ModelKey>()
  #forgottenVersion = 0

  get isEmpty(): boolean {
    return this.facts.length === 0 && this.keys.size === 0
  }

  evidence(operation: Operation, nowMs: number): Evidence {
    const key = this.keys.get(operation.key ?? "new")
    return {
      key,
      forgottenVersion: this.#forgottenVersion,
      nowMs,
      isSameBody: () => String(key && joined(key.changes)) === String(operation.body),
    }
  }

  /** How many keys with a value belong to an account. */
  keysOf(account: string): number {
    return [...this.keys.values()].filter((key) => key.hasValue && key.account === account).length
  }

  touch(operation: Operation, version: number | undefined, nowMs: number): void {
    const id = operation.key ?? ""
    const key = this.keys.get(id)
    if (key === undefined) return
    const { holder, lapsesAt } = operation.operation === "put" ? leaseOf(operation, nowMs) : key
    this.keys.set(id, { ...key, version: version ?? key.version, holder, lapsesAt })
  }

  /** Returns the entry as a watcher receives it. */
  change(operation: Operation, options: AppendOptions, entry: Entry, nowMs: number): Entry {
    if (operation.operation === "append") {
      this.facts.push(entry)
      return entry
    }
    const before = this.keys.get(entry.key)
    const isExtended = operation.operation === "extend"
    const isNew = operation.operation === "put" && before?.hasValue !== true
    const kept = isNew ? undefined : before
    const lease =
      operation.operation === "put" ? leaseOf(operation, nowMs) : { holder: "", lapsesAt: Infinity }
    const { holder, lapsesAt } = isExtended && before !== undefined ? before : lease
    const version = options.condition?.version ?? before?.version ?? 0
    const created = kept?.created ?? entry.offset
    const complete = { ...entry, created, version, holder }
    this.keys.set(entry.key, {
      hasValue: operation.operation !== "remove",
      offset: entry.offset,
      version,
      holder,
      lapsesAt,
      changes: isExtended ? [...(before?.changes ?? []), complete] : [complete],
      created,
      createdAt: kept?.createdAt ?? entry.at,
      account: isNew ? options.account?.name : kept?.account,
    })
    return complete
  }

  trim({ entries, bytes, forMs, removalsForMs }: Retention, nowMs: number): void {
    const isBeyond = (bodies: readonly Uint8Array[], at: number): boolean =>
      bodies.length > entries ||
      bodies.reduce((sum, body) => sum + body.length, 0) > bytes ||
      at < nowMs - forMs
    for (let fact = this.facts[0]; fact !== undefined; fact = this.facts[0]) {
      if (
        !isBeyond(
          this.facts.map(({ body }) => body),
          fact.at,
        )
      )
        break
      this.facts.shift()
      this.floor = fact.offset
    }
    for (;;) {
      const values = [...this.keys]
        .filter(([, { hasValue }]) => hasValue)
        .sort(([, a], [, b]) => a.created - b.created)
      const first = values[0]
      if (first === undefined) break
      if (
        !isBeyond(
          values.map(([, { changes }]) => joined(changes)),
          first[1].createdAt,
        )
      )
        break
      this.forget(first[0])
    }
    for (const [key, { hasValue, changes }] of [...this.keys]) {
      if (!hasValue && (changes[0]?.at ?? 0) < nowMs - removalsForMs) this.forget(key)
    }
  }

  /** Keys with a removal that is remembered, though entries up to this offset may be lost. */
  removalsUpTo(floor: number): string[] {
    return [...this.keys].flatMap(([key, { hasValue, offset }]) =>
      !hasValue && offset <= floor ? [key] : [],
    )
  }

  forget(id: string): void {
    const key = this.keys.get(id)
    if (key === undefined) return
    this.keys.delete(id)
    this.floor = Math.max(this.floor, key.offset)
    this.#forgottenVersion = Math.max(this.#forgottenVersion, key.version)
  }

  find(id: string): Entry | undefined {
    const key = this.keys.get(id)
    return key && seen(key, { after: 0, through: Infinity, select: "all" })
  }

  read(span: Span): Entry[] {
    const { after, through, select } = span
    const isInside = ({ offset }: Entry) => offset > after && offset <= through
    const facts = select === "all" ? this.facts.filter(isInside) : []
    const keys = [...this.keys.values()].flatMap((key) => {
      if (select === "fold" && !key.hasValue) return []
      return seen(key, span) ?? []
    })
    return [...facts, ...keys.filter(isInside)]
  }

  readBack(before: number): Entry[] {
    const values = [...this.keys].filter(([, { hasValue }]) => hasValue)
    const keys = values.flatMap(([id]) => this.find(id) ?? [])
    return [...this.facts, ...keys]
      .filter(({ created }) => created < before)
      .sort((a, b) => b.created - a.created)
  }
}

function leaseOf(operation: Operation & { readonly operation: "put" }, nowMs: number) {
  const { holder = "", leaseMs } = operation
  return { holder, lapsesAt: leaseMs === undefined ? Infinity : nowMs + leaseMs }
}

/** A key as a reader of this span sees it. */
function seen(key: ModelKey, { after, through, select }: Span): Entry | undefined {
  const changes = key.changes.filter(({ offset }) => offset <= through)
  const [first, last] = [changes[0], changes.at(-1)]
  if (first === undefined || last === undefined || last.offset <= after) return undefined
  const { version, holder } = key
  if (!key.hasValue) return { ...last, version, holder }
  const behind = changes.filter(({ offset }) => offset > after)
  return select === "fold" || first.offset > after
    ? { ...last, operation: "put", body: joined(changes), version, holder }
    : { ...last, operation: "extend", body: joined(behind), version, holder }
}

function joined(changes: readonly Entry[]): Uint8Array {
  return Uint8Array.from(changes.flatMap(({ body }) => [...body]))
}
