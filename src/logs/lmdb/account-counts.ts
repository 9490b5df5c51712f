import { lastNumberOf, namedKey, PART, type Place, sequenceKey } from "./keys.ts"
import type { Store } from "./store.ts"

/** How many keys of a collection have a value, by account. */
export class AccountCounts {
  readonly #store: Store
  readonly #place: Place

  constructor(store: Store, place: Place) {
    this.#store = store
    this.#place = place
  }

  of(account: string): number {
    const record = this.#store.entries.get(namedKey(this.#place, PART.accounts, account))
    return record === undefined ? 0 : lastNumberOf(record)
  }

  /** Has to run within a transaction. */
  add(account: string | undefined, change: number): void {
    if (account === undefined) return
    const key = namedKey(this.#place, PART.accounts, account)
    const count = this.of(account) + change
    if (count > 0) this.#store.entries.putSync(key, sequenceKey(count))
    else this.#store.remove(key)
  }
}
