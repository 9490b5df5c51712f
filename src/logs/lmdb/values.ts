import type { Entry } from "../../log/entry.ts"
import {
  createdOf,
  lastNumberOf,
  namedKey,
  OFFSET_MAX,
  type OffsetPart,
  offsetKey,
  PART,
  type Place,
  valueKey,
} from "./keys.ts"
import { merged } from "./merged.ts"
import type { Store } from "./store.ts"
import {
  decodePointer,
  decodeRemoval,
  decodeRun,
  decodeState,
  decodeStep,
  offsetsOfRun,
  type Removal,
  type Step,
  type ValueState,
} from "./value-record.ts"

/** A put or an extend of a value. */
export interface Change extends Step {
  readonly offset: number
  readonly values: Values
}

/** The reading side of a collection of keys. */
export class Values {
  readonly #store: Store
  readonly #place: Place
  readonly collection: string

  constructor(store: Store, place: Place, collection: string) {
    this.#store = store
    this.#place = place
    this.collection = collection
  }

  /** What the log knows of a key. */
  find(key: string): ValueState | Removal | undefined {
    const record = this.#store.entries.get(namedKey(this.#place, PART.index, key))
    if (record === undefined) return undefined
    const { hasValue, offset } = decodePointer(record)
    return hasValue ? this.#state(offset) : this.#removal(offset)
  }

  /** The value that was created first, from an offset on. */
  first(from: number): ValueState | undefined {
    const end = valueKey(this.#place, OFFSET_MAX, 0)
    for (let created = from; ; created++) {
      const start = valueKey(this.#place, created, 0)
      const [record] = this.#store.entries.getRange({ start, end, limit: 1 })
      if (record === undefined) return undefined
      created = createdOf(record.key)
      // without a state in front of them, pieces are those of a value that was removed
      if (lastNumberOf(record.key) === 0) return decodeState(created, record.value)
    }
  }

  firstRemoval(): Removal | undefined {
    for (const { key, value } of this.#store.range(this.#place, PART.removals, 0, OFFSET_MAX, 1))
      return decodeRemoval(lastNumberOf(key), value)
    return undefined
  }

  /**
   * Values as of `through`, by the offset of their last change up to there, from behind `after`.
   * @param top of the channel
   */
  *fold(after: number, through: number, top: number): Generator<Entry> {
    const grown = this.#grown(after, through, top)
    for (const { key, value } of this.#store.range(this.#place, PART.order, after + 1, through)) {
      while ((grown[0]?.offset ?? OFFSET_MAX) < lastNumberOf(key)) yield grown.shift() as Entry
      yield this.entry(this.#state(decodeStep(value).created))
    }
    yield* grown
  }

  /** Puts and extends of values with offsets in (after, through], without those that a later put has superseded. */
  *steps(after: number, through: number): Generator<Change> {
    const scans = [this.#earlierSteps(after, through), this.#changes(PART.order, after, through)]
    yield* merged(scans, ({ offset }) => offset)
  }

  /** Changes before the latest, without those of values that were replaced or removed: some of these are deleted later. */
  *#earlierSteps(after: number, through: number): Generator<Change> {
    const putsAt = new Map<number, number>()
    for (const change of this.#changes(PART.steps, after, through)) {
      let putAt = putsAt.get(change.created)
      if (putAt === undefined) {
        putAt = this.#stateIfAny(change.created)?.putAt ?? Number.POSITIVE_INFINITY
        putsAt.set(change.created, putAt)
      }
      if (change.offset >= putAt) yield change
    }
  }

  *#changes(part: OffsetPart, after: number, through: number): Generator<Change> {
    for (const { key, value } of this.#store.range(this.#place, part, after + 1, through))
      yield { offset: lastNumberOf(key), ...decodeStep(value), values: this }
  }

  *removals(after: number, through: number): Generator<Entry> {
    for (const { key, value } of this.#store.range(this.#place, PART.removals, after + 1, through))
      yield this.entry(decodeRemoval(lastNumberOf(key), value))
  }

  /** Values that were created before an offset, the last one first. */
  *backwards(before: number): Generator<Entry> {
    const start = valueKey(this.#place, Math.min(before, OFFSET_MAX), 0)
    const end = valueKey(this.#place, 0, 0)
    for (const key of this.#store.entries.getKeys({ start, end, reverse: true })) {
      if (lastNumberOf(key) === 0 && createdOf(key) < before) yield this.entry(this.#state(createdOf(key)))
    }
  }

  /** The latest entry of a key, whole. */
  entry(known: ValueState | Removal): Entry {
    if (known.hasValue) return this.#valueEntry(known, 0, known.offset)
    const { offset, key, at, created, version, holder, body } = known
    return {
      offset,
      operation: "remove",
      collection: this.collection,
      key,
      body,
      at,
      created,
      version,
      holder,
    }
  }

  /** What a value was at the offset of one of its steps, for a reader behind `after`. */
  entryAt(created: number, after: number, offset: number): Entry {
    return this.#valueEntry(this.#state(created), after, offset)
  }

  whole(state: ValueState): Uint8Array {
    return state.lastRun === 0 ? state.inline : this.#between(state, 0, state.offset)
  }

  /** Of values that have grown behind `through` what they were there, by offset from behind `after`. */
  #grown(after: number, through: number, top: number): Entry[] {
    const entries: Entry[] = []
    for (const { value } of this.#store.range(this.#place, PART.order, through + 1, top)) {
      const { created, isExtended } = decodeStep(value)
      if (!isExtended) continue
      const state = this.#state(created)
      if (state.putAt > through) continue
      const offset = this.#lastStep(state, through)
      if (offset > after) entries.push(this.#valueEntry(state, 0, offset))
    }
    return entries.sort((a, b) => a.offset - b.offset)
  }

  #valueEntry(state: ValueState, after: number, offset: number): Entry {
    const { key, at, created, version, holder } = state
    const operation = state.putAt <= after ? "extend" : "put"
    const body = this.#between(state, after, offset)
    return { offset, operation, collection: this.collection, key, body, at, created, version, holder }
  }

  /** What was added behind `after`, or all from the put on, and up to `through`. */
  #between(
    { created, putAt, inline, lastRun, offset, bytes }: ValueState,
    after: number,
    through: number,
  ): Uint8Array {
    const isWhole = after < putAt
    const parts: Uint8Array[] = isWhole && inline.length > 0 ? [inline] : []
    const range = {
      start: valueKey(this.#place, created, isWhole ? putAt : this.#runAt(created, after + 1)),
      end: valueKey(this.#place, created, through + 1),
    }
    for (const { key, value } of lastRun === 0 ? [] : this.#store.entries.getRange(range)) {
      const part = decodeRun(lastNumberOf(key), value, after, through)
      if (part.length > 0) parts.push(part)
    }
    const body = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    if (isWhole && through >= offset && body.length !== bytes)
      throw new RangeError(`the value created at ${created} has ${body.length} bytes of ${bytes}`)
    return body
  }

  /** The offset of a value's last step up to `through`, which is not below its put. */
  #lastStep({ created, putAt }: ValueState, through: number): number {
    const first = this.#runAt(created, through)
    const run = this.#store.entries.get(valueKey(this.#place, created, first))
    const offsets = run === undefined ? [] : offsetsOfRun(run).filter((offset) => offset <= through)
    return Math.max(offsets.at(-1) ?? putAt, putAt)
  }

  /** Under which offset the run stands in which a piece of this offset would be. */
  #runAt(created: number, offset: number): number {
    const [start, end] = [valueKey(this.#place, created, offset), valueKey(this.#place, created, 0)]
    for (const key of this.#store.entries.getKeys({ start, end, reverse: true, limit: 1 }))
      return lastNumberOf(key)
    return offset
  }

  #state(created: number): ValueState {
    const state = this.#stateIfAny(created)
    if (state === undefined) throw new RangeError(`the value created at ${created} is missing`)
    return state
  }

  #stateIfAny(created: number): ValueState | undefined {
    const record = this.#store.entries.get(valueKey(this.#place, created, 0))
    return record && decodeState(created, record)
  }

  #removal(offset: number): Removal {
    const record = this.#store.entries.get(offsetKey(this.#place, PART.removals, offset))
    if (record === undefined) throw new RangeError(`the removal ${offset} is missing`)
    return decodeRemoval(offset, record)
  }
}
