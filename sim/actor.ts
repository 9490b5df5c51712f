import { type Client, connect, type History, HoldfastError, type Transport } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import type { Seeded, TestNetwork, VirtualClock } from "holdfast/testing"
import type { SimulatedApp, Stamp } from "./app.ts"
import type { Ledger } from "./ledger.ts"
import type { Operation } from "./operation.ts"
import type { Subscriber, SubscriberView, Told } from "./subscriber.ts"
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
}

export interface ActorPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly network: TestNetwork
  readonly trace: Trace
  readonly ledger: Ledger
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
  const { clock, random, network, trace, ledger } = ports
  const codec = random.chance(0.3) ? { codec: msgpack } : {}
  const transport = network.transport(name, { ...codec, route: ports.route })
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
  client.on("status", (status) => trace.add(name, `is ${status}`))
  client.on("error", (error) => {
    trace.add(name, `error ${error}`)
    if (!(error instanceof HoldfastError)) ledger.violations.push(`client: ${name}: ${describe(error)}`)
  })

  const stamp = (id: string): Stamp => ({ id, padding: "x".repeat(random.between(0, ports.paddingMax)) })

  const open = (channel: string) => {
    const history = random.pick([undefined, "all", { last: random.between(1, 8) }] as const)
    const room = openRoom(client, channel, history)
    trace.add(name, `opens ${channel} from ${JSON.stringify(history)}`)
    const subscriber = follow(channel, room, history)
    ledger.subscribers.push(subscriber)
    held.set(channel, { room, subscriber, entered: undefined, left: 0 })
  }

  const follow = (channel: string, room: Room, history: History | undefined): Subscriber => {
    const told: Told[] = []
    const where = () => ({ position: room.position, atMs: clock.monotonic() })
    let last: SubscriberView | undefined
    const look = (isOpen: boolean): SubscriberView => ({
      open: isOpen,
      status: room.status,
      position: room.position,
      state: channel.startsWith("feed") ? new Map() : new Map(room.state("value").entries()),
      members: channel.startsWith("board") ? new Map(room.presence.members) : new Map(),
    })
    const subscriber: Subscriber = {
      client: name,
      channel,
      history,
      openedAtMs: clock.monotonic(),
      told,
      view: () => last ?? look(true),
    }
    room.onStatus((status) => {
      told.push({ type: "status", status, ...where() })
      trace.add(name, `${channel} is ${status} at ${room.position?.epoch}#${room.position?.offset}`)
      if (status === "closed") last = look(false)
    })
    room.onGap(({ reason, from, to }) => {
      told.push({ type: "gap", reason, from, to, ...where() })
      trace.add(name, `${channel} gap ${reason} ${from.epoch}#${from.offset} to ${to.epoch}#${to.offset}`)
    })
    if (!channel.startsWith("price")) {
      room.on("said", (data, { offset, at, replayed }) => {
        told.push({ type: "event", offset, data, at, replayed, ...where() })
        trace.add(name, `${channel} gets #${offset} ${data.id}${replayed ? " replayed" : ""}`)
      })
    }
    if (!channel.startsWith("feed")) {
      room.state("value").onChange(({ key, value }) => {
        told.push({ type: "state", key, value, ...where() })
        trace.add(name, `${channel} ${key} is ${value?.id} at #${room.position?.offset}`)
      })
    }
    if (channel.startsWith("board")) {
      room.onSignal("typing", ({ id }, { from }) => {
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
    ledger.track(operation, work, (text) => trace.add(name, `${operation.id} ${text}`))
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
  }

  return {
    name,
    status: () => client.status,
    member: () => client.member,
    reconnect: () => {
      trace.add(name, "reconnects")
      client.reconnect()
    },
    act: () => {
      const channel = random.pick(ports.channels)
      const place = held.get(channel)
      if (place === undefined) return open(channel)
      if (random.chance(0.04)) return close(channel, place)
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

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
