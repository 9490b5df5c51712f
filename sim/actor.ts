import {
  type Client,
  connect,
  type Follower,
  type History,
  HoldfastError,
  type Transport,
} from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import type { Seeded, TestNetwork, VirtualClock } from "holdfast/testing"
import { hasEvents, hasPresence, hasState, isLoaded, type SimulatedApp, type Stamp } from "./app.ts"
import type { Ledger } from "./ledger.ts"
import type { Operation } from "./operation.ts"
import type { Subscriber, SubscriberView, Told } from "./subscriber.ts"
import type { Tally } from "./tally.ts"
import type { Trace } from "./trace.ts"

/** A user: opens channels, publishes, comes and goes. */
export interface Actor {
  readonly name: string
  readonly status: () => string
  /** Does something, drawn at random. */
  readonly act: () => void
  /** The channels whose presence it is in, and with what; undefined while that is in doubt. */
  readonly presence: () => ReadonlyMap<string, string> | undefined
  readonly member: () => string | undefined
  readonly reconnect: () => void
  /** No node can be reached for `ms`, or until it is online again. */
  readonly goOffline: (ms: number) => void
  readonly goOnline: () => void
}

export interface ActorPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly network: TestNetwork
  readonly trace: Trace
  readonly ledger: Ledger
  readonly tally: Tally
  readonly channels: readonly string[]
  readonly paddingMax: number
  /** The node that the next line leads to. */
  readonly route: () => string | undefined
  readonly bendTransport: (transport: Transport) => Transport
  readonly bendClient: (client: Client<SimulatedApp>) => Client<SimulatedApp>
}

/** Types of the channel that has every facet; the actor uses only what a channel's own pattern declares. */
type Room = ReturnType<typeof openRoom>

interface Held {
  readonly room: Room
  readonly subscriber: Subscriber
  /** With what it is in the presence of this channel: the operation's id. */
  entered: string | undefined
  /** How often it was left. */
  left: number
  /** Follows from now on, if it does not already. */
  readonly follow: () => void
}

const KEYS = 3

function openRoom(client: Client<SimulatedApp>, channel: string, history: History | undefined) {
  const [pattern = "", name = ""] = channel.split("/")
  return client.channel(
    `${pattern}/:name` as "board/:name",
    { name },
    history === undefined ? {} : { history },
  )
}

export function createActor(name: string, ports: ActorPorts): Actor {
  const { clock, random, network, trace, ledger, tally } = ports
  const codec = random.chance(0.3) ? { codec: msgpack } : {}
  let offlineUntilMs = 0
  const route = () => (clock.monotonic() < offlineUntilMs ? undefined : ports.route())
  const transport = counted(network.transport(name, { ...codec, route }), tally)
  const client = ports.bendClient(
    connect<SimulatedApp>("sim://any", {
      ...codec,
      clock,
      entropy: random.fork(),
      transport: ports.bendTransport(transport),
      backoff: { minMs: 50, maxMs: 1_000 },
      connectTimeoutMs: 3_000,
      callTimeoutMs: 2_000,
    }),
  )
  const held = new Map<string, Held>()
  let doubts = 0
  client.on("status", (status) => {
    trace.add(name, `is ${status}`)
    if (status === "open") tally.add("connections made")
  })
  client.on("error", (error) => {
    trace.add(name, `error ${error}`)
    if (!(error instanceof HoldfastError)) ledger.violations.push(`client: ${name}: ${describe(error)}`)
  })

  const stamp = (id: string): Stamp => ({ id, padding: "x".repeat(random.between(0, ports.paddingMax)) })

  const open = (channel: string) => {
    const history = random.pick([undefined, "all", { last: random.between(1, 8) }] as const)
    const room = openRoom(client, channel, history)
    trace.add(name, `opens ${channel} from ${JSON.stringify(history)}`)
    let followed: Follower<Map<string, string> | undefined> | undefined
    const follow = () => {
      if (followed !== undefined) return
      if (hasState(channel) || isLoaded(channel)) trace.add(name, `follows ${channel}`)
      if (isLoaded(channel)) followed = followLoaded(room)
      else if (hasState(channel)) followed = followState(room)
    }
    if (random.chance(0.3)) follow()
    const subscriber = listen(channel, room, history, () => followed?.value)
    ledger.subscribers.push(subscriber)
    held.set(channel, { room, subscriber, entered: undefined, left: 0, follow })
  }

  const listen = (
    channel: string,
    room: Room,
    history: History | undefined,
    followed: () => ReadonlyMap<string, string> | undefined,
  ): Subscriber => {
    const told: Told[] = []
    const where = () => ({ position: room.position, atMs: clock.monotonic() })
    let last: SubscriberView | undefined
    const look = (isOpen: boolean): SubscriberView => ({
      open: isOpen,
      status: room.status,
      position: room.position,
      state: hasState(channel) ? new Map(room.state("value").entries()) : new Map(),
      members: hasPresence(channel) ? new Map(room.presence.members) : new Map(),
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
    room.onGap(({ reason, from, to }) => {
      told.push({ type: "gap", reason, from, to, ...where() })
      tally.add(`gaps told, ${reason}`)
      trace.add(name, `${channel} gap ${reason} ${from.epoch}#${from.offset} to ${to.epoch}#${to.offset}`)
    })
    if (hasEvents(channel)) {
      room.on("said", (data, { offset, at, replayed }) => {
        tally.add(replayed ? "events replayed" : "events live")
        told.push({ type: "event", offset, data, at, replayed, ...where() })
        trace.add(name, `${channel} gets #${offset} ${data.id}${replayed ? " replayed" : ""}`)
      })
    }
    if (hasState(channel)) {
      room.state("value").onChange(({ key, value }) => {
        tally.add("values told")
        told.push({ type: "state", key, value, ...where() })
        trace.add(name, `${channel} ${key} is ${value?.id} at #${room.position?.offset}`)
      })
    }
    if (hasPresence(channel)) {
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

  const close = (channel: string, { room, entered }: Held) => {
    trace.add(name, `closes ${channel}`)
    held.delete(channel)
    if (entered !== undefined) doubt()
    room.close()
  }
  /** Presence is left, but nobody tells when: it has, at the latest, when a while has passed. */
  const doubt = () => {
    doubts++
    clock.after(5_000, () => doubts--)
  }

  const begin = (channel: string, kind: Operation["kind"], key?: string): Operation => {
    const operation = ledger.begin(name, channel, kind, clock.monotonic(), key)
    trace.add(name, `${kind} ${channel} ${key ?? ""} ${operation.id}`)
    return operation
  }
  const track = (operation: Operation, work: Promise<unknown>) => {
    ledger.track(operation, work, clock.monotonic, (text) => trace.add(name, `${operation.id} ${text}`))
  }

  const change = (channel: string, { room }: Held) => {
    const key = `${name}-${random.between(1, KEYS)}`
    const view = room.state("value")
    if (random.chance(0.7)) {
      const operation = begin(channel, "set", key)
      track(operation, view.set(key, stamp(operation.id), { idempotencyKey: operation.id }))
    } else {
      const operation = begin(channel, "delete", key)
      track(operation, view.delete(key, { idempotencyKey: operation.id }))
    }
  }
  const say = (channel: string, { room }: Held) => {
    const operation = begin(channel, "event")
    track(operation, room.publish("said", stamp(operation.id), { idempotencyKey: operation.id }))
  }
  const call = (channel: string, { room }: Held) => {
    const operation = begin(channel, "call")
    track(operation, room.call("double", { id: operation.id, value: operation.sequence }))
  }
  const enter = (channel: string, place: Held) => {
    const operation = begin(channel, "enter")
    const { left } = place
    doubts++
    const work = place.room.presence.enter(stamp(operation.id))
    work
      .then(
        () => {
          if (place.left === left) place.entered = operation.id
        },
        // it stays as it was, when the hub has been told so again
        () => doubt(),
      )
      .finally(() => doubts--)
    track(operation, work)
  }
  const leave = (channel: string, place: Held) => {
    const operation = begin(channel, "leave")
    doubts++
    place.entered = undefined
    place.left++
    const work = place.room.presence.leave()
    work.catch(() => doubt()).finally(() => doubts--)
    track(operation, work)
  }
  const signal = (channel: string, { room }: Held) => {
    const operation = begin(channel, "call")
    operation.outcome = { data: 2 * operation.sequence }
    room.signal("typing", { id: operation.id, padding: "" })
  }

  const facets: Readonly<Record<string, readonly ((channel: string, place: Held) => void)[]>> = {
    feed: [say, say, say, call],
    board: [say, say, change, change, enter, leave, call, signal],
    price: [change],
    tale: [say],
  }

  return {
    name,
    status: () => client.status,
    member: () => client.member,
    reconnect: () => {
      trace.add(name, "reconnects")
      client.reconnect()
    },
    goOffline: (ms) => {
      offlineUntilMs = clock.monotonic() + ms
      trace.add(name, `is offline for ${ms} ms`)
    },
    goOnline: () => {
      offlineUntilMs = 0
    },
    act: () => {
      const channel = random.pick(ports.channels)
      const place = held.get(channel)
      if (place === undefined) return open(channel)
      if (random.chance(0.04)) return close(channel, place)
      // from now on, without what is there, a state's fold would be none
      if (isLoaded(channel) && random.chance(0.05)) place.follow()
      const act = random.pick(facets[channel.split("/")[0] as string] as (typeof facets)[string])
      const times = random.chance(0.2) ? random.between(2, 12) : 1
      for (let time = 0; time < times; time++) act(channel, place)
    },
    presence: () => {
      if (doubts > 0) return undefined
      return new Map(
        [...held].flatMap(([channel, { entered }]) => (entered === undefined ? [] : [[channel, entered]])),
      )
    },
  }
}

/** The fold of a state. */
function followState(room: Room): Follower<Map<string, string>> {
  return room.follow({
    initial: new Map<string, string>(),
    reduce: (values, entry) => {
      if (entry.type !== "state") return values
      if (entry.value === undefined) values.delete(entry.key)
      else values.set(entry.key, entry.value.id)
      return values
    },
  })
}

/** The server's own rows, and the events behind them. The types are those of another channel. */
function followLoaded(room: Room): Follower<Map<string, string> | undefined> {
  const options = {
    load: (ids: readonly string[]) => new Map(ids.map((id) => [id, id])),
    reduce: (values: Map<string, string>, { data }: { readonly data: Stamp }) => values.set(data.id, data.id),
  }
  return room.follow(options as never)
}

/** Counts what passes. */
function counted({ open }: Transport, tally: Tally): Transport {
  return {
    open: (url, events) => {
      tally.add("lines opened")
      const line = open(url, {
        ...events,
        onMessage: (wire) => {
          tally.add("messages down")
          events.onMessage(wire)
        },
      })
      return {
        ...line,
        send: (wire) => {
          tally.add("messages up")
          line.send(wire)
        },
      }
    },
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
