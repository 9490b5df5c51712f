import type { Position } from "holdfast/client"
import { type Evidence, forgottenUpTo, mayBeLost } from "../evidence.ts"
import { stampOf } from "../stamp.ts"
import type { Subscriber, Told } from "../subscriber.ts"

type Complain = (guarantee: string, what: string) => void

/**
 * Walks along what a subscriber was told, as a cursor of its own on what the log really took. At each step: nothing
 * between where it stood and where it stands now may have been passed over without a word.
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
    else this.#moveTo(told.position)
  }

  finish(): void {
    const { open, status, position } = this.#subscriber.view()
    if (position !== undefined && this.#at !== undefined) this.#moveTo(position)
    if (!open) return
    const { truth } = this.#evidence
    const top = truth.top(this.#subscriber.channel)
    if (status !== "live" || position?.epoch !== truth.epoch || position.offset !== top) {
      const where = `${position?.epoch}#${position?.offset}`
      this.#complain("no silent loss", `is ${status} at ${where}, and the log ends at ${truth.epoch}#${top}`)
    }
  }

  #life(epoch: string) {
    return this.#evidence.truth.life(this.#subscriber.channel, epoch)
  }

  /** Where a fresh subscription starts is the log's to say; but not above its top, and with the history asked for. */
  #begin(position: Position, told: Told): void {
    this.#at = position
    const { history } = this.#subscriber
    const life = this.#life(position.epoch)
    const before = life.entries.filter(({ appendedAtMs }) => appendedAtMs <= told.atMs)
    const start = told.type === "event" ? told.offset - 1 : position.offset
    if (told.type === "event") this.#at = { epoch: position.epoch, offset: start }
    const top = before.at(-1)?.offset ?? 0
    if (start > top) this.#complain("positions", `starts at #${start}, where the log ends at #${top}`)
    if (told.type === "event") this.#take(told)
    if (history === undefined) return
    const from = forgottenUpTo(this.#evidence, life)
    const passed = before.filter(({ kind, offset }) => kind === "event" && offset > from && offset <= start)
    if (history === "all") {
      const kept = passed.find((entry) => !mayBeLost(this.#evidence, life, entry))
      if (kept !== undefined) this.#complain("history", `starts at #${start} and lacks #${kept.offset}`)
      return
    }
    const got = before.filter(({ kind, offset }) => kind === "event" && offset > start).length
    const lacking = passed.slice(Math.min(0, got - history.last) || passed.length)
    const kept = lacking.find((entry) => !mayBeLost(this.#evidence, life, entry))
    if (kept !== undefined)
      this.#complain(
        "history",
        `asked for the last ${history.last}, starts at #${start} and lacks #${kept.offset}`,
      )
  }

  #take(told: Extract<Told, { type: "event" }>): void {
    const { offset, data, at } = told
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
    this.#pass(before, offset - 1, "was not told of")
    const entry = this.#life(before.epoch).byOffset.get(offset)
    if (entry === undefined || entry.kind !== "event" || stampOf(entry).id !== data.id || entry.at !== at) {
      const real = entry === undefined ? "nothing" : `${entry.kind} ${entry.id}`
      this.#complain("offsets", `was told that ${before.epoch}#${offset} is ${data.id}; the log took ${real}`)
    }
    this.#at = { epoch: before.epoch, offset }
    if (position.offset !== offset)
      this.#complain("positions", `stands at #${position.offset} when told of #${offset}`)
  }

  #skip({ reason, from, to }: Extract<Told, { type: "gap" }>): void {
    const before = this.#at as Position
    if (from.epoch !== before.epoch || from.offset < before.offset)
      this.#complain("gaps", `stood at ${show(before)} and was told of a gap from ${show(from)}`)
    else this.#pass(before, from.offset, "has a gap that begins too late for")
    this.#at = to
    const life = this.#life(to.epoch)
    if (reason === "unknown-position") {
      this.#complain("gaps", `stood at ${show(before)}, which the log is said not to know`)
    } else if (reason === "new-epoch") {
      const epochs = this.#evidence.truth.epochs
      if (epochs.indexOf(to.epoch) <= epochs.indexOf(from.epoch))
        this.#complain("gaps", `was told that ${to.epoch} came after ${from.epoch}`)
    } else if (to.epoch !== from.epoch || to.offset <= from.offset) {
      this.#complain("gaps", `was told of a gap from ${show(from)} to ${show(to)}`)
    }
    const end = life.byOffset.get(to.offset)
    if (to.offset !== 0 && (end === undefined || !mayBeLost(this.#evidence, life, end)))
      this.#complain("gaps", `was told that everything up to ${show(to)} is lost, which it is not`)
  }

  #moveTo(position: Position): void {
    const before = this.#at as Position
    this.#at = position
    if (position.epoch !== before.epoch) {
      this.#complain("no silent loss", `went from ${before.epoch} to ${position.epoch} without a gap`)
    } else if (position.offset < before.offset) {
      this.#complain("positions", `went back from ${show(before)} to #${position.offset}`)
    } else this.#pass(before, position.offset, "was not told of")
  }

  /** No event may stand in what is passed over: values may, for their successors say all there is to know. */
  #pass(from: Position, through: number, how: string): void {
    const { byOffset, entries } = this.#life(from.epoch)
    const last = Math.min(through, entries.at(-1)?.offset ?? 0)
    for (let offset = from.offset + 1; offset <= last; offset++) {
      const entry = byOffset.get(offset)
      if (entry?.kind === "event")
        this.#complain("no silent loss", `${how} ${from.epoch}#${offset} (${entry.id})`)
    }
  }
}

function show({ epoch, offset }: Position): string {
  return `${epoch}#${offset}`
}
