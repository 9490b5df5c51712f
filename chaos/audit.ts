import { formatName } from "holdfast"
import type { Log } from "holdfast/server"
import { decodeBody } from "holdfast/server"
import { complaints, type Placed } from "./account.ts"
import { EVENTS, PATTERN, SCORES } from "./app.ts"
import type { Seat, Segment } from "./participant.ts"

/** What the engine holds of a room. */
export interface Kept {
  readonly epoch: string
  readonly top: number
  readonly events: readonly Placed[]
  /** Points by name. */
  readonly scores: ReadonlyMap<string, number>
}

/** Reads a room past the nodes: its events behind `after`, and its state. */
export async function readRoom(log: Log, room: string, after: number): Promise<Kept> {
  const channel = formatName(PATTERN, { room })
  const { epoch, top } = await log.head(channel)
  const events: Placed[] = []
  const scores = new Map<string, number>()
  const range = { through: top, entriesMax: 1_000, bytesMax: 1e6 }
  for (let at = after; at < top; ) {
    const page = await log.read(channel, { ...range, after: at, select: "all", collections: [EVENTS] })
    for (const { offset, body } of page.entries)
      events.push({ offset, id: (decodeBody(body) as { readonly id: string }).id })
    at = page.next
  }
  for (let at = 0; at < top; ) {
    const page = await log.read(channel, { ...range, after: at, select: "fold", collections: [SCORES] })
    for (const { key, body } of page.entries)
      scores.set(key, (decodeBody(body) as { readonly points: number }).points)
    at = page.next
  }
  return { epoch, top, events, scores }
}

/** Where a room stood when it was looked at last. */
export interface Accounted {
  readonly epoch: string
  readonly top: number
}

export interface Findings {
  readonly complaints: readonly string[]
  readonly delivered: number
  /** Acknowledged events that the engine has lost, which was told. */
  readonly lost: number
}

/**
 * Everything that is wrong with a room, between two moments. `mayLose`: the engine has really lost something meanwhile.
 * @param known whether an id was published at any time
 */
export function auditRoom(
  before: Accounted,
  kept: Kept,
  seats: readonly Seat[],
  mayLose: boolean,
  known: (id: string) => boolean,
): Findings {
  const found: string[] = []
  const isSameLife = before.epoch === kept.epoch
  if (!isSameLife && !mayLose) found.push("a new epoch has begun though the engine has lost nothing")
  const taken = seats.map((seat) => ({ seat, segments: seat.takeSegments() }))
  const acknowledged = seats.flatMap((seat) => seat.acknowledged)
  const current = acknowledged.filter(({ epoch }) => epoch === kept.epoch)

  found.push(
    ...complaints({
      log: kept.events,
      published: kept.events.map(({ id }) => id).filter(known),
      acknowledged: current,
      delivered: new Map(),
    }),
  )
  for (const { seat, segments } of taken) found.push(...auditSeat(before, kept, seat, segments))
  found.push(...disagreements(taken.flatMap(({ segments }) => segments)))
  const ids = new Set(kept.events.map(({ id }) => id))
  return {
    complaints: found,
    delivered: taken.reduce(
      (sum, { segments }) => sum + segments.reduce((sum, { entries }) => sum + entries.length, 0),
      0,
    ),
    lost: acknowledged.filter(({ id, epoch }) => epoch !== kept.epoch && !ids.has(id)).length,
  }
}

function auditSeat(before: Accounted, kept: Kept, seat: Seat, segments: readonly Segment[]): string[] {
  const found: string[] = []
  const last = segments.at(-1)
  const isSameLife = before.epoch === kept.epoch
  if (isSameLife && seat.gaps.length > 0)
    found.push(`${seat.name} was told of a gap where none is: ${seat.gaps[0]}`)
  if (!isSameLife && !seat.gaps.some((gap) => gap.startsWith("new-epoch")))
    found.push(`${seat.name} was not told that the engine has lost something`)
  if (last === undefined || last.epoch !== kept.epoch || seat.room.position?.epoch !== kept.epoch)
    return [
      ...found,
      `${seat.name} is in epoch ${seat.room.position?.epoch}, told as ${last?.epoch}, and not in ${kept.epoch}`,
    ]
  const expected = kept.events.filter(({ offset }) => offset > last.from)
  found.push(
    ...complaints({
      log: expected,
      published: expected.map(({ id }) => id),
      acknowledged: [],
      delivered: new Map([[seat.name, last.entries]]),
    }),
  )
  for (const { entries } of segments.slice(0, -1)) {
    const offsets = entries.map(({ offset }) => offset)
    if (offsets.some((offset, index) => offset <= (offsets[index - 1] ?? 0)))
      found.push(`${seat.name} was given a lost epoch's events out of turn`)
  }
  for (const [name, points] of kept.scores) {
    const held = seat.room.state("score").get(name)?.points
    if (held !== points) found.push(`${seat.name} holds ${held} as the score of ${name}, which is ${points}`)
  }
  return found
}

/** An offset of an epoch means one thing, whoever was given it. */
function disagreements(segments: readonly Segment[]): string[] {
  const found: string[] = []
  const meanings = new Map<string, string>()
  for (const { epoch, entries } of segments) {
    for (const { offset, id } of entries) {
      const place = `${epoch}/${offset}`
      const meaning = meanings.get(place) ?? id
      if (meaning !== id) found.push(`${place} meant ${meaning} and ${id}`)
      meanings.set(place, meaning)
    }
  }
  return found
}
