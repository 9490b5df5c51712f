import { Garbage, removeRun } from "./garbage.ts"
import { namedKey, offsetKey, PART, type Place, valueKey } from "./keys.ts"
import { SHARED_PAGE_BYTES_MAX, unsealed } from "./record.ts"
import type { Store } from "./store.ts"
import {
  encodePointer,
  encodeRemoval,
  encodeRun,
  encodeState,
  encodeStep,
  INLINE_BYTES_MAX,
  type Removal,
  runBytes,
  type ValueState,
} from "./value-record.ts"

/** A value without its body. */
export type Owned = Omit<ValueState, "putAt" | "bytes" | "lastBytes" | "lastRun" | "inline">

const NOTHING = new Uint8Array(0)

/** Writes the records of a collection of keys. Has to run within a transaction. */
export class ValueWriter {
  readonly #store: Store
  readonly #place: Place
  readonly #garbage: Garbage

  constructor(store: Store, place: Place) {
    this.#store = store
    this.#place = place
    this.#garbage = new Garbage(store)
  }

  /** Writes a value whose key has none, in place of `before` if that is there. */
  create(owned: Owned, body: Uint8Array, removal: Removal | undefined): ValueState {
    if (removal !== undefined) this.#remove(offsetKey(this.#place, PART.removals, removal.offset))
    this.#put(
      namedKey(this.#place, PART.index, owned.key),
      encodePointer({ hasValue: true, offset: owned.created }),
    )
    return this.#start(owned, body)
  }

  replace(before: ValueState, owned: Owned, body: Uint8Array): ValueState {
    this.#unlist(before)
    return this.#start(owned, body)
  }

  extend(before: ValueState, owned: Owned, body: Uint8Array): ValueState {
    const { offset, created } = owned
    const last = valueKey(this.#place, created, before.lastRun)
    const run = before.lastRun === 0 ? undefined : this.#store.entries.get(last)
    const fits = run !== undefined && runBytes(run, body) <= SHARED_PAGE_BYTES_MAX
    const lastRun = fits ? before.lastRun : offset
    const record = encodeRun(lastRun, fits ? unsealed(lastRun, run) : undefined, offset, body)
    this.#put(valueKey(this.#place, created, lastRun), record)
    this.#remove(offsetKey(this.#place, PART.order, before.offset))
    const step = { created, bytes: before.lastBytes, isExtended: true }
    this.#put(offsetKey(this.#place, PART.steps, before.offset), encodeStep(step))
    const bytes = before.bytes + body.length
    const state = { ...before, ...owned, bytes, lastBytes: body.length, lastRun }
    this.#list(state)
    return state
  }

  /** Writes what changes without an entry. */
  touch(known: ValueState | Removal): void {
    if (known.hasValue) this.#put(valueKey(this.#place, known.created, 0), encodeState(known))
    else this.#put(offsetKey(this.#place, PART.removals, known.offset), encodeRemoval(known))
  }

  /** Writes a removal in place of what is known of its key. */
  remove(removal: Removal, known: ValueState | Removal | undefined): void {
    if (known !== undefined) this.#delete(known)
    const { key, offset } = removal
    this.#put(namedKey(this.#place, PART.index, key), encodePointer({ hasValue: false, offset }))
    this.touch(removal)
  }

  /** Deletes all that is known of a key. */
  forget(known: ValueState | Removal): void {
    this.#delete(known)
    this.#remove(namedKey(this.#place, PART.index, known.key))
  }

  #start(owned: Owned, body: Uint8Array): ValueState {
    const { offset, created } = owned
    const isInline = body.length <= INLINE_BYTES_MAX
    if (!isInline)
      this.#put(valueKey(this.#place, created, offset), encodeRun(offset, undefined, offset, body))
    const [bytes, lastRun] = [body.length, isInline ? 0 : offset]
    const value = { putAt: offset, bytes, lastBytes: bytes, lastRun }
    const state = { ...owned, ...value, inline: isInline ? body : NOTHING }
    this.#list(state)
    return state
  }

  #list(state: ValueState): void {
    this.touch(state)
    const step = { created: state.created, bytes: state.lastBytes, isExtended: state.putAt < state.offset }
    this.#put(offsetKey(this.#place, PART.order, state.offset), encodeStep(step))
  }

  #delete(known: ValueState | Removal): void {
    if (!known.hasValue) {
      this.#remove(offsetKey(this.#place, PART.removals, known.offset))
      return
    }
    this.#unlist(known)
    this.#remove(valueKey(this.#place, known.created, 0))
  }

  /** Deletes what leads to a value by offset, and its pieces: more than one run of them later. */
  #unlist({ created, offset, putAt, lastRun }: ValueState): void {
    this.#remove(offsetKey(this.#place, PART.order, offset))
    if (putAt < offset) this.#remove(offsetKey(this.#place, PART.steps, putAt))
    if (lastRun === 0) return
    const range = {
      start: valueKey(this.#place, created, putAt),
      end: valueKey(this.#place, created, offset + 1),
    }
    const runs = [...this.#store.entries.getRange({ ...range, limit: 2 })]
    if (runs.length > 1) this.#garbage.add(this.#place, created, offset)
    else for (const { key, value } of runs) removeRun(this.#store, this.#place, key, value)
  }

  #put(key: Buffer, record: Buffer): void {
    this.#store.entries.putSync(key, record)
  }

  #remove(key: Buffer): void {
    this.#store.remove(key)
  }
}
