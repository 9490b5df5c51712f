import type { Entry } from "../../log/entry.ts"
import type { Encoding } from "../ports/link.ts"
import type { Channel } from "./channel.ts"
import { Encoded, entryMessage } from "./encoded.ts"

/** What one cached entry costs beside its payload, roughly, in bytes. */
const OVERHEAD_BYTES = 256

/** The frames of entries that subscriptions catch up on, shared between them. The oldest go when it is full. */
export class EncodedCache {
  readonly #bytesMax: number
  readonly #channels = new WeakMap<
    Channel,
    { readonly epoch: string; readonly entries: Map<number, Encoded> }
  >()
  readonly #order: {
    readonly entries: Map<number, Encoded>
    readonly offset: number
    readonly bytes: number
  }[] = []
  #first = 0
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  frame(channel: Channel, epoch: string, entry: Entry, encoding: Encoding): Uint8Array {
    return this.#encoded(channel, epoch, entry).frame(encoding)
  }

  #encoded(channel: Channel, epoch: string, entry: Entry): Encoded {
    const entries = this.#entries(channel, epoch)
    const known = entries.get(entry.offset)
    if (known !== undefined) return known
    const encoded = new Encoded(entryMessage(channel.alias, entry), { epoch, offset: entry.offset })
    // the payload is there twice: as it is stored, and in its frame
    const bytes = 2 * entry.body.byteLength + OVERHEAD_BYTES
    entries.set(entry.offset, encoded)
    this.#order.push({ entries, offset: entry.offset, bytes })
    this.#bytes += bytes
    this.#evict()
    return encoded
  }

  #entries(channel: Channel, epoch: string): Map<number, Encoded> {
    const known = this.#channels.get(channel)
    if (known?.epoch === epoch) return known.entries
    const entries = new Map<number, Encoded>()
    this.#channels.set(channel, { epoch, entries })
    return entries
  }

  #evict(): void {
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#order[this.#first++]
      if (oldest === undefined) return
      oldest.entries.delete(oldest.offset)
      this.#bytes -= oldest.bytes
    }
    // forget the evicted places now and then, not one by one
    if (this.#first > 1_024 && this.#first * 2 > this.#order.length) {
      this.#order.splice(0, this.#first)
      this.#first = 0
    }
  }
}
