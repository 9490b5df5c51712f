import type { Head, Log } from "../../log/log.ts"
import { HoldfastError } from "../../protocol/error.ts"
import { offsetOfLast, readPage } from "./page.ts"
import { type ChannelHead, emptyHead } from "./record.ts"
import type { Store } from "./store.ts"

/** A log that another process may be writing to: each call looks anew into the file. */
export class ReadOnlyLog implements Log {
  readonly #store: Store
  readonly #why: string
  #closing: Promise<void> | undefined

  /** `why` says, to those who append, why they cannot. */
  constructor(store: Store, why: string) {
    this.#store = store
    this.#why = why
  }

  readonly append: Log["append"] = async () => {
    this.#assertOpen()
    throw new HoldfastError("log_unavailable", `${this.#why} Nothing was published.`)
  }

  /** The writer trims. */
  readonly trim: Log["trim"] = async () => this.#assertOpen()

  readonly head: Log["head"] = async (name) => this.#headOf(this.#find(name).head)

  readonly read: Log["read"] = async (name, range) => {
    const { id, head } = this.#find(name)
    const found =
      id === undefined ? { entries: [], next: range.after } : readPage(this.#store, id, head, range)
    return { head: this.#headOf(head), ...found }
  }

  readonly offsetOfLast: Log["offsetOfLast"] = async (name, count) => {
    const { id, head } = this.#find(name)
    return id === undefined ? 0 : offsetOfLast(this.#store, id, head, count)
  }

  /** LMDB does not tell other processes of a commit. */
  readonly watch: Log["watch"] = async () => {
    this.#assertOpen()
    return () => undefined
  }

  readonly close = (): Promise<void> => {
    this.#closing ??= this.#store.close()
    return this.#closing
  }

  #find(name: string): { readonly id: number | undefined; readonly head: Readonly<ChannelHead> } {
    this.#assertOpen()
    this.#store.refresh()
    const id = this.#store.channelId(name)
    return { id, head: id === undefined ? emptyHead() : this.#store.head(id) }
  }

  #headOf({ top, eventFloor, tombstoneFloor }: Readonly<ChannelHead>): Head {
    return { epoch: this.#store.meta("epoch") ?? "", top, floor: Math.max(eventFloor, tombstoneFloor) }
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new HoldfastError("closed", "The log was closed.")
  }
}
