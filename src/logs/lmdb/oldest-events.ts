import type { Entry } from "../../hub/log.ts"
import { entryKey, offsetOfKey, PART } from "./keys.ts"
import type { ChannelHead, Weight } from "./record.ts"
import type { Store } from "./store.ts"

/** How many events are read ahead, and how many trimmed ones are deleted from the file at once. */
const CHUNK = 64
/** Trimmed events that are larger than this altogether are deleted though they are few. */
const TRIMMED_BYTES_MAX = 256 * 1024
/** Beyond this, events that are appended are not remembered but read again when they are the oldest. */
const REMEMBERED_MAX = 256

/**
 * The oldest end of a channel's events. Trimming is two steps: an event is gone at once, for the head's floor rises above
 * it; from the file it is deleted with others, so that a page at the far end of the channel changes once for many appends.
 */
export class OldestEvents {
  readonly #channelId: number
  readonly #store: Store
  readonly #head: ChannelHead
  /** The oldest events that are not trimmed. */
  #events: Weight[] = []
  #start = 0
  /** Whether these are all the events there are, so that an appended one continues them. */
  #isComplete: boolean
  /** Trimmed, and still in the file; undefined when the file has to tell, after it was opened. */
  #trimmed: number[] | undefined
  #trimmedBytes = 0

  constructor(channelId: number, store: Store, head: ChannelHead) {
    this.#channelId = channelId
    this.#store = store
    this.#head = head
    this.#isComplete = head.events === 0
    this.#trimmed = head.trimmed === 0 ? [] : undefined
  }

  first(): Weight | undefined {
    if (this.#start === this.#events.length && !this.#isComplete) this.#readAhead()
    return this.#events[this.#start]
  }

  /** Counts an event that was appended. */
  push({ offset, at, body }: Entry): void {
    this.#head.events++
    this.#head.eventBytes += body.length
    if (!this.#isComplete) return
    if (this.#events.length - this.#start >= REMEMBERED_MAX) this.#isComplete = false
    else this.#events.push({ offset, at, bytes: body.length })
  }

  /** Trims `event`, which has to be the first. */
  trim({ offset, bytes }: Weight): void {
    this.#start++
    if (this.#start >= CHUNK) {
      this.#events = this.#events.slice(this.#start)
      this.#start = 0
    }
    const head = this.#head
    head.events--
    head.eventBytes -= bytes
    head.eventFloor = offset
    head.trimmed++
    this.#trimmed?.push(offset)
    this.#trimmedBytes += bytes
    if (head.trimmed >= CHUNK || this.#trimmedBytes >= TRIMMED_BYTES_MAX) this.delete()
  }

  /** Deletes from the file what is trimmed. Returns whether there was something. */
  delete(): boolean {
    if (this.#head.trimmed === 0) return false
    for (const offset of this.#trimmed ?? this.#findTrimmed()) {
      this.#store.entries.removeSync(entryKey(this.#channelId, PART.events, offset))
    }
    this.#trimmed = []
    this.#trimmedBytes = 0
    this.#head.trimmed = 0
    return true
  }

  #findTrimmed(): number[] {
    const start = entryKey(this.#channelId, PART.events, 0)
    const end = entryKey(this.#channelId, PART.events, this.#head.eventFloor + 1)
    return Array.from(this.#store.entries.getKeys({ start, end }), offsetOfKey)
  }

  #readAhead(): void {
    const { eventFloor, top } = this.#head
    this.#events = this.#store.weigh(this.#channelId, PART.events, eventFloor, top, CHUNK)
    this.#start = 0
    this.#isComplete = this.#events.length < CHUNK
  }
}
