/** The value of a key, which may grow piece by piece: growing costs the piece, and reading copies nothing. */
export class Value {
  /** Bytes from the last put on. What stands before `#length` is never changed, so views of it stay right. */
  #bytes: Uint8Array
  #length: number
  /** The offset of the last put, then of each piece; and how long the value was behind it. */
  readonly #offsets: number[]
  readonly #lengths: number[]

  constructor(body: Uint8Array, offset: number) {
    this.#bytes = body
    this.#length = body.byteLength
    this.#offsets = [offset]
    this.#lengths = [body.byteLength]
  }

  get byteLength(): number {
    return this.#length
  }

  /** The offset of the last put. */
  get putAt(): number {
    return this.#offsets[0] as number
  }

  whole(): Uint8Array {
    return this.#length === this.#bytes.byteLength ? this.#bytes : this.#bytes.subarray(0, this.#length)
  }

  extend(piece: Uint8Array, offset: number): void {
    const length = this.#length + piece.byteLength
    if (length > this.#bytes.byteLength || this.#offsets.length === 1) this.#grow(length)
    this.#bytes.set(piece, this.#length)
    this.#length = length
    this.#offsets.push(offset)
    this.#lengths.push(length)
  }

  /** The offset of the last change up to this one, which has to be that of the put or later. */
  lastChange(through: number): number {
    return this.#offsets[this.#indexOf(through)] as number
  }

  /** What was added behind `after`, or all there was from the put on, and up to `through`, which is that of the put or later. */
  between(after: number, through: number): Uint8Array {
    const from = after < this.putAt ? 0 : this.#lengths[this.#indexOf(after)]
    const to = this.#lengths[this.#indexOf(through)]
    return from === 0 && to === this.#length ? this.whole() : this.#bytes.subarray(from, to)
  }

  /** Which of the changes is the last one up to this offset. */
  #indexOf(through: number): number {
    let low = 0
    let high = this.#offsets.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#offsets[middle] as number) <= through) low = middle + 1
      else high = middle
    }
    return low - 1
  }

  /** The first time too: the body of the put is not this value's own. */
  #grow(length: number): void {
    const bytes = new Uint8Array(Math.max(2 * length, 64))
    bytes.set(this.whole())
    this.#bytes = bytes
  }
}
