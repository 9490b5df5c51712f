import type { Entry } from "../../log/entry.ts"
import type { Append, Retention } from "../../log/operation.ts"
import { OffsetList } from "./offset-list.ts"

/** A collection that is appended to. */
export class Facts {
  readonly kind = "facts"
  /** The greatest offset that was trimmed. */
  floor = 0
  readonly entries = new OffsetList<Entry>()
  #bytes = 0

  get isEmpty(): boolean {
    return this.entries.size === 0
  }

  append({ collection, key, body, at }: Append, offset: number): Entry {
    const entry: Entry = {
      offset,
      operation: "append",
      collection,
      key,
      body,
      at,
      created: offset,
      version: 0,
      holder: "",
    }
    this.entries.push(offset, entry)
    this.#bytes += body.byteLength
    return entry
  }

  trim({ entries, bytes, forMs }: Retention, nowMs: number): void {
    const oldestAt = nowMs - forMs
    for (;;) {
      const first = this.entries.first()
      if (first === undefined) return
      if (this.entries.size <= entries && this.#bytes <= bytes && first.at >= oldestAt) return
      this.entries.remove(first.offset)
      this.#bytes -= first.body.byteLength
      this.floor = first.offset
    }
  }
}
