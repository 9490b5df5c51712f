import { joinBytes } from "./join-bytes.ts"
import type { Reply } from "./reply.ts"

const encoder = new TextEncoder()
const HEAD = encoder.encode('{"messages":[')
const TAIL = encoder.encode("]}\n")
const JSON_TYPE = { "Content-Type": "application/json" }

/** The answer `{"messages":[…]}`: sent as a whole when it is small, and piece by piece when it is not. */
export class ListBody {
  readonly #reply: Reply
  readonly #wholeBytesMax: number
  /** Undefined from when the answer has begun. */
  #items: Uint8Array[] | undefined = []
  /** How many bytes of items were written. */
  bytes = 0

  constructor(reply: Reply, wholeBytesMax: number) {
    this.#reply = reply
    this.#wholeBytesMax = wholeBytesMax
  }

  /** Adds items, each behind a comma. Returns false when the reply is full. */
  write(items: Uint8Array): boolean {
    this.bytes += items.byteLength
    if (this.#items === undefined) return this.#reply.write(items)
    this.#items.push(items)
    if (this.bytes <= this.#wholeBytesMax) return true
    const begun = joinBytes(this.#take())
    this.#reply.begin(JSON_TYPE)
    return this.#reply.write(begun)
  }

  end(): void {
    if (this.#items === undefined) {
      this.#reply.end(TAIL)
      return
    }
    const whole = joinBytes([...this.#take(), TAIL])
    if (!this.#reply.isOpen) return
    this.#reply.begin({ ...JSON_TYPE, "Content-Length": `${whole.byteLength}` })
    this.#reply.end(whole)
  }

  #take(): Uint8Array[] {
    const [first, ...rest] = (this.#items ?? []).filter(({ byteLength }) => byteLength > 0)
    this.#items = undefined
    // no comma before the first item
    return first === undefined ? [HEAD] : [HEAD, first.subarray(1), ...rest]
  }
}
