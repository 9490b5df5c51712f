/** A queue with one reader, which tells its writer to pause when it is full. */
export class Inbox<Item> {
  readonly #items: Item[] = []
  readonly #itemsMax: number
  readonly #onFull: () => void
  readonly #onRoom: () => void
  #reader: ((result: IteratorResult<Item, undefined>) => void) | undefined
  #ended = false
  #full = false

  /** @param itemsMax how many items wait before `onFull`; `onRoom` follows when half of them are gone. */
  constructor(itemsMax: number, onFull: () => void, onRoom: () => void) {
    this.#itemsMax = itemsMax
    this.#onFull = onFull
    this.#onRoom = onRoom
  }

  push(item: Item): void {
    if (this.#ended) return
    const reader = this.#reader
    if (reader !== undefined) {
      this.#reader = undefined
      reader({ done: false, value: item })
      return
    }
    this.#items.push(item)
    if (this.#full || this.#items.length < this.#itemsMax) return
    this.#full = true
    this.#onFull()
  }

  /** What is waiting can still be read; then comes the end. */
  end(): void {
    this.#ended = true
    this.#reader?.({ done: true, value: undefined })
    this.#reader = undefined
  }

  /** The next item. @throws Error when another read waits already. */
  async next(): Promise<IteratorResult<Item, undefined>> {
    if (this.#items.length > 0) {
      const value = this.#items.shift() as Item
      if (this.#full && this.#items.length * 2 <= this.#itemsMax) {
        this.#full = false
        this.#onRoom()
      }
      return { done: false, value }
    }
    if (this.#ended) return { done: true, value: undefined }
    if (this.#reader !== undefined) throw new Error("the messages of a raw socket have one reader")
    return new Promise((resolve) => {
      this.#reader = resolve
    })
  }
}
