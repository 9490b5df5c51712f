import type { HoldfastError } from "holdfast/client"
import type { Seeded, VirtualClock } from "holdfast/testing"
import { type Kind, type Stamp, statesOf } from "./app.ts"
import { placeOf, stateCollection } from "./collections.ts"
import type { Ledger } from "./ledger.ts"
import type { Operation } from "./operation.ts"
import type { Room } from "./room.ts"
import type { Trace } from "./trace.ts"

/** A channel as an actor holds it. */
export interface Place {
  readonly room: Room
  /** With what it is in the presence of this channel: the operation's id. */
  entered: string | undefined
  /** How often it was left. */
  left: number
  /** Follows from now on, if it does not already. */
  readonly follow: () => void
}

export type Act = (channel: string, place: Place) => void

export interface ActPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly trace: Trace
  readonly ledger: Ledger
  readonly paddingMax: number
  /** How likely a change of a key is a removal. */
  readonly removals: number
  readonly doubts: Doubts
}

/** What is not clear of an actor's presence. */
export interface Doubts {
  /** For how many reasons it will only be clear later. */
  count: number
  /** The channels where it never will: what it asked for did not fit into its outbox. */
  readonly unclear: Set<string>
}

/** How long presence may take to follow, at the latest, when no answer says that it has, in ms. */
const DOUBT_MS = 5_000

export function doubtForAWhile(doubts: Doubts, clock: VirtualClock): void {
  doubts.count++
  clock.after(DOUBT_MS, () => doubts.count--)
}

const KEYS = 3

/** What an actor does on a channel, by pattern: often what stands there often. */
export function createActs(name: string, ports: ActPorts): Readonly<Record<Kind, readonly Act[]>> {
  const { clock, random, trace, ledger, paddingMax, removals, doubts } = ports
  const stamp = (id: string): Stamp => ({ id, padding: "x".repeat(random.between(0, paddingMax)) })
  const begin = (channel: string, kind: Operation["kind"], place?: string): Operation => {
    const operation = ledger.begin(name, channel, kind, clock.monotonic(), place)
    trace.add(name, `${kind} ${channel} ${place ?? ""} ${operation.id}`)
    return operation
  }
  const track = (operation: Operation, work: Promise<unknown>) => {
    ledger.track(operation, work, clock.monotonic, (text) => trace.add(name, `${operation.id} ${text}`))
  }

  const change = (channel: string, { room }: Place) => {
    const key = `${name}-${random.between(1, KEYS)}`
    const state = random.pick(statesOf(channel))
    const view = room.state(state)
    const place = placeOf(stateCollection(state), key)
    if (!random.chance(removals)) {
      const operation = begin(channel, "set", place)
      track(operation, view.set(key, stamp(operation.id), { idempotencyKey: operation.id }))
    } else {
      const operation = begin(channel, "delete", place)
      track(operation, view.delete(key, { idempotencyKey: operation.id }))
    }
  }
  const say = (channel: string, { room }: Place) => {
    const operation = begin(channel, "event")
    track(operation, room.publish("said", stamp(operation.id), { idempotencyKey: operation.id }))
  }
  const call = (channel: string, { room }: Place) => {
    const operation = begin(channel, "call")
    track(operation, room.call("double", { id: operation.id, value: operation.sequence }))
  }
  const handleFailure = (channel: string, error: unknown) => {
    if ((error as HoldfastError).code === "outbox_full") doubts.unclear.add(channel)
    doubtForAWhile(doubts, clock)
  }
  const enter = (channel: string, place: Place) => {
    const operation = begin(channel, "enter")
    const { left } = place
    doubts.count++
    const work = place.room.presence.enter(stamp(operation.id))
    work
      .then(
        () => {
          if (place.left === left) place.entered = operation.id
        },
        // it stays as it was, when the hub has been told so again
        (error) => handleFailure(channel, error),
      )
      .finally(() => doubts.count--)
    track(operation, work)
  }
  const leave = (channel: string, place: Place) => {
    const operation = begin(channel, "leave")
    doubts.count++
    place.entered = undefined
    place.left++
    const work = place.room.presence.leave()
    work.catch((error) => handleFailure(channel, error)).finally(() => doubts.count--)
    track(operation, work)
  }
  const signal = (channel: string, { room }: Place) => {
    const operation = begin(channel, "call")
    operation.outcome = { data: 2 * operation.sequence }
    room.signal("typing", { id: operation.id, padding: "" })
  }

  return {
    feed: [say, say, say, call],
    board: [say, say, change, change, enter, leave, call, signal],
    price: [change],
    tale: [say],
  }
}
