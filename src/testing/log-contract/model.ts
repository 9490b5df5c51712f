import { judge } from "../../log/condition.ts"
import type { Entry } from "../../log/entry.ts"
import type { Head } from "../../log/log.ts"
import type { AppendOptions, Operation, Outcome, Retention } from "../../log/operation.ts"
import { assert, assertEqual } from "./assert.ts"
import { ModelCollection } from "./model-collection.ts"
import { entryOf } from "./operations.ts"

/** What an operation has to lead to. The offset of an entry is the log's to choose. */
export type Expected =
  | { readonly code: "idempotency_conflict" | "quota_exceeded" }
  | { readonly status: "appended" }
  | {
      readonly status: Exclude<Outcome["status"], "appended">
      readonly offset: number
      readonly version?: number
    }

interface KnownKey {
  readonly fingerprint: string
  readonly offset: number
  readonly untilMs: number
  readonly account: string | undefined
}

/** A channel's log as the port describes it, without any thought to speed. */
export class Model {
  /** All entries there ever were. */
  readonly appended: Entry[] = []
  /** By the first offset of each life: what was forgotten before. */
  readonly bases = new Map<number, number>()
  #collections = new Map<string, ModelCollection>()
  readonly #known = new Map<string, KnownKey>()
  #base = 0
  #top = 0

  get top(): number {
    return this.#top
  }

  collection(name: string): ModelCollection {
    const found = this.#collections.get(name) ?? new ModelCollection()
    this.#collections.set(name, found)
    return found
  }

  /** @param nowMs by the clock of leases */
  expect(operation: Operation, options: AppendOptions, nowMs: number): Expected {
    const { dedupe, account } = options
    const known = dedupe && this.#known.get(dedupe.key)
    if (known !== undefined && known.untilMs > operation.at) {
      if (known.fingerprint !== dedupe?.fingerprint) return { code: "idempotency_conflict" }
      return { status: "duplicate", offset: known.offset }
    }
    const collection = this.collection(operation.collection)
    const key = operation.operation === "append" ? undefined : collection.keys.get(operation.key ?? "new")
    const verdict =
      operation.operation === "append"
        ? "apply"
        : judge(operation, options.condition, collection.evidence(operation, nowMs))
    const offset = key?.offset ?? 0
    if (typeof verdict === "object") {
      return { status: "refused", offset, ...(verdict.lowest !== undefined && { version: verdict.lowest }) }
    }
    const addsKey = verdict === "apply" && operation.operation === "put" && key?.hasValue !== true
    const isFull = account !== undefined && addsKey && collection.keysOf(account.name) >= account.keysMax
    const isSpent =
      account !== undefined &&
      dedupe !== undefined &&
      this.#idempotencyKeysOf(account.name, operation.at) >= account.idempotencyKeysMax
    if (isFull || isSpent) return { code: "quota_exceeded" }
    return verdict === "apply" ? { status: "appended" } : { status: "unchanged", offset }
  }

  /** Carries out an operation that is expected to append an entry, or to be found unchanged. */
  apply(
    operation: Operation,
    options: AppendOptions,
    offset: number,
    isAppended: boolean,
    nowMs: number,
  ): void {
    const { dedupe, account, condition, retention } = options
    const collection = this.collection(operation.collection)
    if (dedupe !== undefined) {
      const { key, fingerprint, windowMs } = dedupe
      this.#known.set(key, { fingerprint, offset, untilMs: operation.at + windowMs, account: account?.name })
    }
    if (!isAppended) {
      collection.touch(operation, condition?.version, nowMs)
      return
    }
    assert(offset > this.#top, `offset ${offset} follows ${this.#top}`)
    if (this.#top === this.#base) this.bases.set(offset, this.#base)
    this.#top = offset
    this.appended.push(collection.change(operation, options, entryOf(operation, offset), nowMs))
    collection.trim(retention, operation.at)
  }

  trim(retentions: Readonly<Record<string, Retention>>, nowMs: number): void {
    for (const [name, retention] of Object.entries(retentions)) this.collection(name).trim(retention, nowMs)
  }

  /** Checks a head, and forgets the channel if the log has done so with good reason. */
  checkHead({ top, base, floors }: Head, nowMs: number): void {
    if (base !== this.#base) {
      assert(base >= this.#top, `the base rose to ${base}, though the channel went on to ${this.#top}`)
      assert(this.#isEmpty(nowMs), `the channel was forgotten at ${base}, though something was left`)
      this.#base = base
      this.#top = base
      this.#collections = new Map()
      this.#known.clear()
    }
    assertEqual(top, this.#top, "the top")
    const expected = [...this.#collections]
      .filter(([, { floor }]) => floor > this.#base)
      .map(([name, { floor }]) => [name, floor])
    assertEqual(floors, Object.fromEntries(expected), "the floors")
  }

  #isEmpty(nowMs: number): boolean {
    const isKnown = [...this.#known.values()].some(({ untilMs }) => untilMs > nowMs)
    return !isKnown && [...this.#collections.values()].every(({ isEmpty }) => isEmpty)
  }

  #idempotencyKeysOf(account: string, nowMs: number): number {
    return [...this.#known.values()].filter((known) => known.account === account && known.untilMs > nowMs)
      .length
  }
}
