import type { Entry } from "../../log/log.ts"
import { entryKey, offsetOfKey, PART } from "./keys.ts"
import type { ChannelHead, Weight } from "./record.ts"
import type { Store } from "./store.ts"

/** What is known of an event without reading it, and the first offset of the run that it stands in. */
interface Event extends Weight {
  readonly run: number
}

/** How many runs are read ahead. */
const RUNS_AHEAD = 16
/** When so many events, or so many bytes, are trimmed and still in the file, they are deleted. */
const TRIMMED_MAX = 64
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
  readonly #flush: () => void
  /** The oldest events that are not trimmed. */
  #events: Event[] = []
  #start = 0
  /** Whether these are all the events there are, so that an appended one continues them. */
  #isComplete: boolean
  /** The run of the event that was trimmed last. */
  #run: number | undefined
  /** Runs before it, of which everything is trimmed. */
  #deadRuns: number[] = []
  #trimmedBytes = 0
  /** Whether the file may hold other dead runs, from before it was opened. */
  #mayHoldOthers: boolean

  /** `flush` writes the events that were pushed and are not written yet. */
  constructor(channelId: number, store: Store, head: ChannelHead, flush: () => void) {
    this.#channelId = channelId
    this.#store = store
    this.#head = head
    this.#flush = flush
    this.#isComplete = head.events === 0
    this.#mayHoldOthers = head.trimmed > 0
  }

  first(): Weight | undefined {
    if (this.#start === this.#events.length && !this.#isComplete) this.#readAhead()
    return this.#events[this.#start]
  }

  /** Counts an event that was appended, as a part of this run. */
  push({ offset, at, body }: Entry, run: number): void {
    this.#head.events++
    this.#head.eventBytes += body.length
    if (!this.#isComplete) return
    if (this.#events.length - this.#start >= REMEMBERED_MAX) this.#isComplete = false
    else this.#events.push({ offset, at, bytes: body.length, run })
  }

  /** Trims what `first` returns. */
  trimFirst(): void {
    const event = this.#events[this.#start]
    if (event === undefined) return
    this.#start++
    if (this.#start >= REMEMBERED_MAX) {
      this.#events = this.#events.slice(this.#start)
      this.#start = 0
    }
    const head = this.#head
    head.events--
    head.eventBytes -= event.bytes
    head.eventFloor = event.offset
    head.trimmed++
    if (this.#run !== undefined && this.#run !== event.run) this.#deadRuns.push(this.#run)
    this.#run = event.run
    this.#trimmedBytes += event.bytes
    if (head.trimmed >= TRIMMED_MAX || this.#trimmedBytes >= TRIMMED_BYTES_MAX) this.delete()
  }

  /** Deletes from the file the runs of which everything is trimmed. Returns whether that changed something. */
  delete(): boolean {
    const head = this.#head
    const { trimmed } = head
    if (trimmed === 0) return false
    if (head.events === 0) this.#endRun()
    const runs = this.#mayHoldOthers ? this.#findDeadRuns() : this.#deadRuns
    for (const run of runs) this.#store.entries.removeSync(entryKey(this.#channelId, PART.events, run))
    this.#mayHoldOthers = false
    this.#deadRuns = []
    this.#trimmedBytes = 0
    // A run that is trimmed in part, or whose end has just been trimmed, is still there.
    head.trimmed = this.#run === undefined ? 0 : 1
    return runs.length > 0 || head.trimmed !== trimmed
  }

  /** With the last event gone, so is its run, which no other event will be added to. */
  #endRun(): void {
    this.#flush()
    if (this.#run !== undefined) this.#deadRuns.push(this.#run)
    this.#run = undefined
  }

  #findDeadRuns(): number[] {
    this.#flush()
    const start = entryKey(this.#channelId, PART.events, 0)
    const end = entryKey(this.#channelId, PART.events, this.#head.eventFloor + 1)
    const runs = Array.from(this.#store.entries.getKeys({ start, end }), offsetOfKey)
    // Of the last one, the end may stand above the floor.
    const last = this.#head.events === 0 ? undefined : runs.pop()
    this.#run = last ?? this.#run
    return runs
  }

  #readAhead(): void {
    this.#flush()
    const { eventFloor, top } = this.#head
    const runs = this.#store.runs(this.#channelId, eventFloor, top, RUNS_AHEAD)
    this.#events = runs.flatMap(({ first, weights }) =>
      weights.filter(({ offset }) => offset > eventFloor).map((weight) => ({ ...weight, run: first })),
    )
    this.#start = 0
    this.#isComplete = runs.length < RUNS_AHEAD
  }
}
