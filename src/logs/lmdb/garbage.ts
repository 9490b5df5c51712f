import { lastNumberOf, offsetKey, PART, type Place, sequenceKey, valueKey } from "./keys.ts"
import type { Store } from "./store.ts"
import { offsetsOfRun } from "./value-record.ts"

/** How many runs of pieces are read at once: as many records at most as a few hundred small pieces each have. */
const RUNS_AT_ONCE = 4
/** A purge ends behind the run with which it has removed so many records. */
const PURGED_MAX = 1_000

const CHANNEL_BYTES = 6
const COLLECTION_BYTES = 2

/**
 * Pieces of values that were replaced or removed. A value may have so many that they cannot be deleted in one transaction, so
 * the change of its key only notes them, and later transactions delete them. Nothing that is read depends on when:
 * the pieces of a value, and its steps, count from its last put on.
 */
export class Garbage {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  get isEmpty(): boolean {
    return first(this.#store.garbage.getKeys({ limit: 1 })) === undefined
  }

  isIn(channel: number): boolean {
    const range = { start: sequenceKey(channel), end: sequenceKey(channel + 1), limit: 1 }
    return first(this.#store.garbage.getKeys(range)) !== undefined
  }

  /** Notes the pieces that a value has up to an offset. Has to run within a transaction. */
  add(place: Place, created: number, through: number): void {
    this.#store.garbage.putSync(garbageKey(place, created), sequenceKey(through))
  }

  /** Deletes some of what is noted. Has to run within a transaction. */
  purge(): void {
    const end = this.#store.removed + PURGED_MAX
    while (this.#store.removed < end) {
      const noted = first(this.#store.garbage.getRange({ limit: 1 }))
      if (noted === undefined) return
      const { place, created } = placeOf(noted.key)
      if (this.#purge(place, created, lastNumberOf(noted.value), end))
        this.#store.garbage.removeSync(noted.key)
    }
  }

  /** Returns whether nothing is left of the value's pieces. */
  #purge(place: Place, created: number, through: number, end: number): boolean {
    const range = { start: valueKey(place, created, 1), end: valueKey(place, created, through + 1) }
    const runs = [...this.#store.entries.getRange({ ...range, limit: RUNS_AT_ONCE })]
    for (const [index, { key, value }] of runs.entries()) {
      removeRun(this.#store, place, key, value)
      if (this.#store.removed >= end && index < runs.length - 1) return false
    }
    return runs.length < RUNS_AT_ONCE
  }
}

/** Deletes a run of pieces, and what leads to them by offset. */
export function removeRun(store: Store, place: Place, key: Uint8Array, run: Uint8Array): void {
  for (const step of offsetsOfRun(run)) store.remove(offsetKey(place, PART.steps, step))
  store.remove(key)
}

function garbageKey({ channel, collection }: Place, created: number): Buffer {
  const key = Buffer.allocUnsafe(CHANNEL_BYTES + COLLECTION_BYTES)
  key.writeUIntBE(channel, 0, CHANNEL_BYTES)
  key.writeUInt16BE(collection, CHANNEL_BYTES)
  return Buffer.concat([key, sequenceKey(created)])
}

function placeOf(key: Uint8Array): { readonly place: Place; readonly created: number } {
  const source = Buffer.from(key)
  const channel = source.readUIntBE(0, CHANNEL_BYTES)
  return { place: { channel, collection: source.readUInt16BE(CHANNEL_BYTES) }, created: lastNumberOf(key) }
}

function first<Item>(items: Iterable<Item>): Item | undefined {
  for (const item of items) return item
  return undefined
}
