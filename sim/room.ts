import type { Client, Follower, History } from "holdfast/client"
import type { VirtualClock } from "holdfast/testing"
import { hasEvents, hasPresence, hasState, type SimulatedApp, type Stamp, statesOf } from "./app.ts"
import { PRESENCE, placeOf, stateCollection } from "./collections.ts"
import type { Ledger } from "./ledger.ts"
import type { Held, Subscriber, SubscriberView, Told } from "./subscriber.ts"
import type { Tally } from "./tally.ts"
import type { Trace } from "./trace.ts"

/** Types of the channel that has every facet; an actor uses only what a channel's own pattern declares. */
export type Room = ReturnType<typeof openRoom>

export function openRoom(client: Client<SimulatedApp>, channel: string, history: History | undefined) {
  const [pattern = "", name = ""] = channel.split("/")
  return client.channel(
    `${pattern}/:name` as "board/:name",
    { name },
    history === undefined ? {} : { history },
  )
}

export interface Listening {
  /** Who listens, as in the trace. */
  readonly name: string
  readonly client: Client<SimulatedApp>
  readonly channel: string
  readonly room: Room
  readonly history: History | undefined
  readonly followed: () => ReadonlyMap<string, string> | undefined
}

export interface ListeningPorts {
  readonly clock: VirtualClock
  readonly trace: Trace
  readonly tally: Tally
  readonly ledger: Ledger
}

/** Subscribes, and writes down all that is told. */
export function listen(
  { name, client, channel, room, history, followed }: Listening,
  { clock, trace, tally, ledger }: ListeningPorts,
): Subscriber {
  const told: Told[] = []
  const isKeyed = hasState(channel) || hasPresence(channel)
  const where = () => ({
    position: room.position,
    held: isKeyed ? heldIn(channel, room) : undefined,
    atMs: clock.monotonic(),
  })
  let last: SubscriberView | undefined
  const look = (isOpen: boolean): SubscriberView => ({
    open: isOpen,
    status: room.status,
    position: room.position,
    held: heldIn(channel, room),
    followed: followed(),
  })
  const subscriber: Subscriber = {
    client: name,
    channel,
    history,
    openedAtMs: clock.monotonic(),
    told,
    standing: () => last ?? { open: true, status: room.status, position: room.position },
    view: () => last ?? look(true),
  }
  room.onStatus((status) => {
    told.push({ type: "status", status, ...where() })
    trace.add(name, `${channel} is ${status} at ${room.position?.epoch}#${room.position?.offset}`)
    if (status === "closed") last = look(false)
  })
  room.onGap(({ reason, collections, from, to }) => {
    told.push({ type: "gap", reason, collections, from, to, ...where() })
    tally.add(`gaps told, ${reason}`)
    for (const collection of collections ?? []) tally.add(`gaps in ${collection}`)
    if (reason === "trimmed" && collections === undefined) tally.add("gaps in all")
    const range = `${from.epoch}#${from.offset} to ${to.epoch}#${to.offset}`
    trace.add(name, `${channel} gap ${reason} of ${collections?.join(" and ") ?? "all"} ${range}`)
  })
  if (hasEvents(channel)) {
    room.on("said", (data, { offset, at, replayed }) => {
      tally.add(replayed ? "events replayed" : "events live")
      told.push({ type: "event", offset, data, at, replayed, ...where() })
      trace.add(name, `${channel} gets #${offset} ${data.id}${replayed ? " replayed" : ""}`)
    })
  }
  for (const state of statesOf(channel)) {
    room.state(state).onChange(({ key, value }) => {
      const place = placeOf(stateCollection(state), key)
      tally.add("values told")
      told.push({ type: "state", place, value, ...where() })
      trace.add(name, `${channel} ${place} is ${value?.id} at #${room.position?.offset}`)
    })
  }
  if (hasPresence(channel)) {
    room.presence.onChange(() => told.push({ type: "members", ...where() }))
    room.onSignal("typing", ({ id }, { from }) => {
      tally.add("signals told")
      trace.add(name, `${channel} signal ${id}`)
      if (id.startsWith(`${name}.`) || from === client.member)
        ledger.violations.push(`signals: ${name} got its own ${id}`)
    })
  }
  room.subscribe()
  return subscriber
}

function heldIn(channel: string, room: Room): Held {
  const held = new Map<string, string>()
  for (const state of statesOf(channel))
    for (const [key, { id }] of room.state(state).entries())
      held.set(placeOf(stateCollection(state), key), id)
  if (hasPresence(channel))
    for (const [member, { id }] of room.presence.members) held.set(placeOf(PRESENCE, member), id)
  return held
}

/** The fold of all states. */
export function followState(room: Room): Follower<Map<string, string>> {
  return room.follow({
    initial: new Map<string, string>(),
    reduce: (values, entry) => {
      if (entry.type !== "state") return values
      const place = placeOf(stateCollection(entry.name), entry.key)
      if (entry.value === undefined) values.delete(place)
      else values.set(place, entry.value.id)
      return values
    },
  })
}

/** The server's own rows, and the events behind them. The types are those of another channel. */
export function followLoaded(room: Room): Follower<Map<string, string> | undefined> {
  const options = {
    load: (ids: readonly string[]) => new Map(ids.map((id) => [id, id])),
    reduce: (values: Map<string, string>, { data }: { readonly data: Stamp }) => values.set(data.id, data.id),
  }
  return room.follow(options as never)
}
