import { Buffer } from "node:buffer"
import type { Reply } from "./reply.ts"

const HEAD = Buffer.from('{"messages":[')
const TAIL = Buffer.from("]}\n")
const JSON_TYPE = { "Content-Type": "application/json" }

/** The answer `{"messages":[…]}`, sent as a whole when it is small, and as it comes when it is not. */
export class ListBody {
  readonly #reply: Reply
  readonly #wholeBytesMax: number
  /** Until it is begun. */
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
    const begun = this.#take()
    this.#reply.begin(JSON_TYPE)
    return this.#reply.write(begun)
  }

  end(): void {
    if (this.#items === undefined) {
      this.#reply.end(TAIL)
      return
    }
    const whole = Buffer.concat([this.#take(), TAIL])
    if (!this.#reply.isOpen) return
    this.#reply.begin({ ...JSON_TYPE, "Content-Length": whole.byteLength })
    this.#reply.end(whole)
  }

  #take(): Buffer {
    // the first item has no other before it
    const items = Buffer.concat(this.#items ?? []).subarray(1)
    this.#items = undefined
    return Buffer.concat([HEAD, items])
  }
}
