import type { Position } from "holdfast/client"
import { EVENTS } from "../collections.ts"
import type { Evidence } from "../evidence.ts"
import { lossesOf } from "../losses.ts"
import { stampOf } from "../stamp.ts"
import type { Subscriber, Told } from "../subscriber.ts"
import { type TrueEntry, topOf } from "../truth.ts"
import { checkGap, show } from "./gaps.ts"

type Complain = (guarantee: string, what: string) => void

/**
 * Walks along what a subscriber was told, as a cursor of its own on what the log really took. At each step: no event between
 * where it stood and where it stands now may have been passed over without a word. Of keys, `folds.ts` looks at what is held.
 */
export function checkDelivery(evidence: Evidence): string[] {
  const complaints: string[] = []
  for (const subscriber of evidence.ledger.subscribers) {
    const complain: Complain = (guarantee, what) =>
      complaints.push(`${guarantee}: ${subscriber.client} on ${subscriber.channel} ${what}`)
    const cursor = new Cursor(evidence, subscriber, complain)
    for (const told of subscriber.told) cursor.follow(told)
    cursor.finish()
  }
  return complaints
}

class Cursor {
  readonly #evidence: Evidence
  readonly #subscriber: Subscriber
  readonly #complain: Complain
  #at: Position | undefined
  /** A gap has said that events of this epoch may be missing up to here. */
  #excusedUpTo = 0

  constructor(evidence: Evidence, subscriber: Subscriber, complain: Complain) {
    this.#evidence = evidence
    this.#subscriber = subscriber
    this.#complain = complain
  }

  follow(told: Told): void {
    if (told.position === undefined) {
      if (told.type === "event" || told.type === "gap" || told.type === "state")
        this.#complain("positions", `was told of ${told.type} without a position`)
      return
    }
    if (this.#at === undefined) {
      this.#begin(told.position, told)
      return
    }
    if (told.type === "gap") this.#skip(told)
    else if (told.type === "event") this.#take(told)
    else this.#moveTo(told.position, told.atMs)
  }

  finish(): void {
    const { open, status, position } = this.#subscriber.view()
    if (position !== undefined && this.#at !== undefined) this.#moveTo(position, Number.POSITIVE_INFINITY)
    if (!open) return
    const { truth } = this.#evidence
    if (status !== "live" || position?.epoch !== truth.epoch) {
      const where = `${position?.epoch}#${position?.offset}`
      this.#complain("no silent loss", `is ${status} at ${where}, and the log is ${truth.epoch}`)
      return
    }
    const top = topOf(this.#life(truth.epoch))
    this.#pass(position, top, Number.POSITIVE_INFINITY, "was never told of")
  }

  #life(epoch: string) {
    return this.#evidence.truth.life(this.#subscriber.channel, epoch)
  }

  #losses(epoch: string) {
    return lossesOf(this.#life(epoch), this.#evidence.profile)
  }

  /** Where a fresh subscription starts is the log's to say; but not above its top, and with the history asked for. */
  #begin(position: Position, told: Told): void {
    const { epoch, offset } = told.type === "gap" ? told.from : position
    const life = this.#life(epoch)
    const before = life.entries.filter(({ appendedAtMs }) => appendedAtMs <= told.atMs)
    const start = told.type === "event" ? told.offset - 1 : offset
    this.#at = { epoch, offset: start }
    const top = Math.max(before.at(-1)?.offset ?? 0, life.base.at(told.atMs))
    if (start > top) this.#complain("positions", `starts at #${start}, where the log ends at #${top}`)
    this.#checkHistory(before, this.#at, told.atMs)
    if (told.type === "gap") this.#skip(told)
    if (told.type === "event") this.#take(told)
  }

  #checkHistory(before: readonly TrueEntry[], { epoch, offset: start }: Position, atMs: number): void {
    const { history } = this.#subscriber
    if (history === undefined) return
    const events = before.filter(({ collection }) => collection === EVENTS)
    const passed = events.filter(({ offset }) => offset <= start)
    const wanted = history === "all" ? Number.POSITIVE_INFINITY : history.last
    const lacking = passed.slice(-Math.max(0, wanted - (events.length - passed.length)) || passed.length)
    const kept = lacking.find((entry) => !this.#losses(epoch).mayBeLost(entry, atMs))
    if (kept !== undefined)
      this.#complain(
        "history",
        `asked for ${JSON.stringify(history)}, starts at #${start} and lacks #${kept.offset}`,
      )
  }

  #take(told: Extract<Told, { type: "event" }>): void {
    const { offset, data, at, atMs } = told
    const position = told.position as Position
    const before = this.#at as Position
    if (position.epoch !== before.epoch) {
      this.#complain("no silent loss", `went from ${before.epoch} to ${position.epoch} without a gap`)
      this.#at = { epoch: position.epoch, offset }
      return
    }
    if (offset <= before.offset) {
      const seen = this.#life(before.epoch).byOffset.get(offset)?.id === data.id
      this.#complain(seen ? "once" : "order", `was told of #${offset} (${data.id}) after #${before.offset}`)
      return
    }
    this.#pass(before, offset - 1, atMs, "was not told of")
    const entry = this.#life(before.epoch).byOffset.get(offset)
    if (entry?.collection !== EVENTS || stampOf(entry).id !== data.id || entry.at !== at) {
      const real = entry === undefined ? "nothing" : `${entry.operation} ${entry.id}`
      this.#complain("offsets", `was told that ${before.epoch}#${offset} is ${data.id}; the log took ${real}`)
    }
    this.#at = { epoch: before.epoch, offset }
    if (position.offset !== offset)
      this.#complain("positions", `stands at #${position.offset} when told of #${offset}`)
  }

  /** A gap that names collections leaves the cursor where it is, and excuses nothing that is missing of others. */
  #skip(gap: Extract<Told, { type: "gap" }>): void {
    const before = this.#at as Position
    const { from, to, collections, atMs, position } = gap
    if (from.epoch !== before.epoch || from.offset < before.offset)
      this.#complain("gaps", `stood at ${show(before)} and was told of a gap from ${show(from)}`)
    else this.#pass(before, from.offset, atMs, "has a gap that begins too late for")
    for (const what of checkGap(this.#evidence, this.#subscriber.channel, gap)) this.#complain("gaps", what)
    if (to.epoch !== before.epoch) this.#excusedUpTo = 0
    if (collections?.includes(EVENTS) !== false) this.#excusedUpTo = Math.max(this.#excusedUpTo, to.offset)
    this.#at = collections === undefined ? to : from
    this.#moveTo(position as Position, atMs)
  }

  #moveTo(position: Position, atMs: number): void {
    const before = this.#at as Position
    this.#at = position
    if (position.epoch !== before.epoch) {
      this.#complain("no silent loss", `went from ${before.epoch} to ${position.epoch} without a gap`)
      this.#excusedUpTo = 0
    } else if (position.offset < before.offset) {
      this.#complain("positions", `went back from ${show(before)} to #${position.offset}`)
    } else this.#pass(before, position.offset, atMs, "was not told of")
  }

  /** No event may stand in what is passed over, unless a gap has named it and it may really be gone. */
  #pass(from: Position, through: number, atMs: number, how: string): void {
    const { byOffset, entries } = this.#life(from.epoch)
    const last = Math.min(through, entries.at(-1)?.offset ?? 0)
    for (let offset = from.offset + 1; offset <= last; offset++) {
      const entry = byOffset.get(offset)
      if (entry?.collection !== EVENTS) continue
      const isExcused = offset <= this.#excusedUpTo && this.#losses(from.epoch).mayBeLost(entry, atMs)
      if (!isExcused) this.#complain("no silent loss", `${how} ${from.epoch}#${offset} (${entry.id})`)
    }
  }
}
