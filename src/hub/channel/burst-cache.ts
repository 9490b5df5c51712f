import type { Encoding } from "../ports/link.ts"
import type { Channel, ChannelSubscription } from "./channel.ts"

/** A page of a channel's log, or of a snapshot of it, as it is written to a link. */
export interface Burst {
  readonly bytes: Uint8Array
  /** Where the cursor stands that was given it, or how far the snapshot has come. */
  readonly next: number
  /** Whether the page ended where it has to, and not because there was no more at that time. */
  readonly full: boolean
  /** Whether it completes a snapshot. */
  readonly last: boolean
  /** When it was read, on the monotonic clock. */
  readonly at: number
}

/** How long a page is given to others, in ms: by then its values may be long superseded in the log. */
const FRESH_MS = 1_000
/** What one cached page costs beside its bytes, roughly. */
const OVERHEAD_BYTES = 256

/**
 * The pages that subscriptions were given last, ready to be written. When a line to many is cut, they all come back to
 * where they all stood, and when many begin at once, they all get the same snapshot: one of them has its page read and encoded, the
 * others are given the same bytes.
 */
export class BurstCache {
  readonly #bytesMax: number
  readonly #channels = new WeakMap<Channel, Map<string, Burst>>()
  readonly #encodings = new Map<Encoding, number>()
  /** Oldest first. */
  readonly #order = new Set<{ readonly bursts: Map<string, Burst>; readonly key: string }>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** What reading a page for this subscription would give, or undefined when that is not known. */
  find(subscription: ChannelSubscription, nowMs: number): Burst | undefined {
    const { channel } = subscription
    const burst = this.#channels.get(channel)?.get(this.#keyOf(subscription))
    if (burst === undefined || nowMs - burst.at > FRESH_MS) return undefined
    // it ends where the log ended then: by now there is more to be had at once
    return burst.full || burst.next >= Math.max(channel.tail, subscription.offset) ? burst : undefined
  }

  /** Keeps what the subscription is given where it stands now. */
  add(subscription: ChannelSubscription, burst: Burst): void {
    let bursts = this.#channels.get(subscription.channel)
    if (bursts === undefined) {
      bursts = new Map()
      this.#channels.set(subscription.channel, bursts)
    }
    const key = this.#keyOf(subscription)
    const before = bursts.get(key)
    if (before === undefined) this.#order.add({ bursts, key })
    else this.#bytes -= costOf(before)
    bursts.set(key, burst)
    this.#bytes += costOf(burst)
    this.#evict()
  }

  #keyOf({ epoch, offset, snapshot, outlet }: ChannelSubscription): string {
    const { encoding } = outlet.link
    let number = this.#encodings.get(encoding)
    if (number === undefined) {
      number = this.#encodings.size
      this.#encodings.set(encoding, number)
    }
    // the end of a snapshot tells where the cursor stands
    const part = snapshot === undefined ? "" : `${snapshot.after}-${snapshot.fold}`
    return `${offset} ${part} ${number} ${epoch}`
  }

  #evict(): void {
    for (const oldest of this.#order) {
      if (this.#bytes <= this.#bytesMax) return
      const burst = oldest.bursts.get(oldest.key)
      if (burst !== undefined) this.#bytes -= costOf(burst)
      oldest.bursts.delete(oldest.key)
      this.#order.delete(oldest)
    }
  }
}

function costOf({ bytes }: Burst): number {
  return bytes.byteLength + OVERHEAD_BYTES
}
