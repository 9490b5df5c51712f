import type { Entry } from "../../log/entry.ts"
import {
  createdOf,
  lastNumberOf,
  namedKey,
  OFFSET_MAX,
  offsetKey,
  PART,
  type Place,
  valueKey,
} from "./keys.ts"
import type { Store } from "./store.ts"
import {
  decodePointer,
  decodeRemoval,
  decodeRun,
  decodeState,
  type Removal,
  type ValueState,
} from "./value-record.ts"

/** The reading side of a collection of keys. */
export class Values {
  readonly #store: Store
  readonly #place: Place
  readonly #collection: string

  constructor(store: Store, place: Place, collection: string) {
    this.#store = store
    this.#place = place
    this.#collection = collection
  }

  /** What the log knows of a key. */
  find(key: string): ValueState | Removal | undefined {
    const record = this.#store.entries.get(namedKey(this.#place, PART.index, key))
    if (record === undefined) return undefined
    const { hasValue, offset } = decodePointer(record)
    return hasValue ? this.#state(offset) : this.#removal(offset)
  }

  /** The value that was created first. */
  first(): ValueState | undefined {
    const [start, end] = [valueKey(this.#place, 0, 0), valueKey(this.#place, OFFSET_MAX, 0)]
    for (const { key, value } of this.#store.entries.getRange({ start, end, limit: 1 }))
      return decodeState(createdOf(key), value)
    return undefined
  }

  firstRemoval(): Removal | undefined {
    for (const { key, value } of this.#store.range(this.#place, PART.removals, 0, OFFSET_MAX, 1))
      return decodeRemoval(lastNumberOf(key), value)
    return undefined
  }

  /** Values with latest offsets in (after, through], in that order; `suffixes`: without what was there at `after`. */
  *inOrder(after: number, through: number, limit: number, suffixes: boolean): Generator<Entry> {
    for (const { value } of this.#store.range(this.#place, PART.order, after + 1, through, limit))
      yield this.entry(this.#state(lastNumberOf(value)), suffixes ? after : 0)
  }

  *removals(after: number, through: number, limit: number): Generator<Entry> {
    for (const { key, value } of this.#store.range(this.#place, PART.removals, after + 1, through, limit))
      yield this.entry(decodeRemoval(lastNumberOf(key), value), 0)
  }

  /** Values that were created before an offset, the last one first. */
  *backwards(before: number): Generator<Entry> {
    const start = valueKey(this.#place, Math.min(before, OFFSET_MAX), 0)
    const end = valueKey(this.#place, 0, 0)
    for (const key of this.#store.entries.getKeys({ start, end, reverse: true })) {
      if (lastNumberOf(key) === 0 && createdOf(key) < before) yield this.entry(this.#state(createdOf(key)), 0)
    }
  }

  /** The latest entry of a key as a reader behind `after` has to see it. */
  entry(known: ValueState | Removal, after: number): Entry {
    const { offset, key, at, created, version, holder } = known
    const entry = { offset, collection: this.#collection, key, at, created, version, holder }
    if (!known.hasValue) return { ...entry, operation: "remove", body: known.body }
    const isSuffix = known.putAt <= after
    const body = isSuffix ? this.#pieces(known, after) : this.whole(known)
    return { ...entry, operation: isSuffix ? "extend" : "put", body }
  }

  whole(state: ValueState): Uint8Array {
    return state.lastRun === 0 ? state.inline : this.#pieces(state, 0)
  }

  /** What was added behind `after`; with 0, all of it. */
  #pieces({ created, putAt, inline, bytes }: ValueState, after: number): Uint8Array {
    const parts: Uint8Array[] = after < putAt && inline.length > 0 ? [inline] : []
    const [start, end] = [valueKey(this.#place, created, 1), valueKey(this.#place, created, OFFSET_MAX)]
    for (const { key, value } of this.#store.entries.getRange({ start, end })) {
      const part = decodeRun(lastNumberOf(key), value, after)
      if (part.length > 0) parts.push(part)
    }
    const body = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts)
    if (after < putAt && body.length !== bytes)
      throw new RangeError(`the value created at ${created} has ${body.length} bytes of ${bytes}`)
    return body
  }

  #state(created: number): ValueState {
    const record = this.#store.entries.get(valueKey(this.#place, created, 0))
    if (record === undefined) throw new RangeError(`the value created at ${created} is missing`)
    return decodeState(created, record)
  }

  #removal(offset: number): Removal {
    const record = this.#store.entries.get(offsetKey(this.#place, PART.removals, offset))
    if (record === undefined) throw new RangeError(`the removal ${offset} is missing`)
    return decodeRemoval(offset, record)
  }
}
