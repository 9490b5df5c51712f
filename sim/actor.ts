import { type Client, connect, type Follower, HoldfastError, type Transport } from "holdfast/client"
import { msgpack } from "holdfast/msgpack"
import type { Seeded, TestNetwork, VirtualClock } from "holdfast/testing"
import { createActs, doubtForAWhile, type Place } from "./acts.ts"
import { hasState, isLoaded, kindOf, type SimulatedApp } from "./app.ts"
import { countedTransport } from "./counted.ts"
import type { Ledger } from "./ledger.ts"
import { followLoaded, followState, listen, openRoom } from "./room.ts"
import type { Tally } from "./tally.ts"
import type { Trace } from "./trace.ts"

/** A user: opens channels, publishes, comes and goes. */
export interface Actor {
  readonly name: string
  readonly status: () => string
  /** How much of what it has asked for is not answered yet. */
  readonly pending: () => number
  /** Does something, drawn at random. */
  readonly act: () => void
  /**
   * The channels whose presence it is in, and with what: undefined where that is not known. As a whole undefined while it is
   * in doubt.
   */
  readonly presence: () => ReadonlyMap<string, string | undefined> | undefined
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
  /** How likely a change of a key is a removal. */
  readonly removals: number
  /** How far its clock may be off, in ms. */
  readonly skewMsMax: number
  /** The node that the next line leads to. */
  readonly route: () => string | undefined
  readonly bendTransport: (transport: Transport) => Transport
  readonly bendClient: (client: Client<SimulatedApp>) => Client<SimulatedApp>
}

export function createActor(name: string, ports: ActorPorts): Actor {
  const { clock, random, network, trace, ledger, tally } = ports
  const codec = random.chance(0.3) ? { codec: msgpack } : {}
  const skewMs = random.between(-ports.skewMsMax, ports.skewMsMax)
  let offlineUntilMs = 0
  const route = () => (clock.monotonic() < offlineUntilMs ? undefined : ports.route())
  const transport = countedTransport(network.transport(name, { ...codec, route }), tally)
  const client = ports.bendClient(
    connect<SimulatedApp>("sim://any", {
      ...codec,
      clock: { ...clock, monotonic: () => clock.now() + skewMs },
      entropy: random.fork(),
      transport: ports.bendTransport(transport),
      backoff: { minMs: 50, maxMs: 1_000 },
      connectTimeoutMs: 3_000,
      callTimeoutMs: 2_000,
    }),
  )
  const held = new Map<string, Place>()
  const doubts = { count: 0, unclear: new Set<string>() }
  const acts = createActs(name, { ...ports, doubts })
  client.on("status", (status) => {
    trace.add(name, `is ${status}`)
    if (status === "open") tally.add("connections made")
  })
  client.on("error", (error) => {
    trace.add(name, `error ${error}`)
    if (!(error instanceof HoldfastError)) ledger.violations.push(`client: ${name}: ${describe(error)}`)
  })

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
    const listening = { name, client, channel, room, history, followed: () => followed?.value }
    ledger.subscribers.push(listen(listening, ports))
    held.set(channel, { room, entered: undefined, left: 0, follow })
  }

  const close = (channel: string, { room, entered }: Place) => {
    trace.add(name, `closes ${channel}`)
    held.delete(channel)
    // presence is left, but no answer says when
    if (entered !== undefined) doubtForAWhile(doubts, clock)
    room.close()
  }
  return {
    name,
    status: () => client.status,
    pending: () => client.pending,
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
      const act = random.pick(acts[kindOf(channel)])
      const times = random.chance(0.2) ? random.between(2, 12) : 1
      for (let time = 0; time < times; time++) act(channel, place)
    },
    presence: () => {
      if (doubts.count > 0) return undefined
      const present = new Map<string, string | undefined>()
      for (const [channel, { entered }] of held) if (entered !== undefined) present.set(channel, entered)
      for (const channel of doubts.unclear) present.set(channel, undefined)
      return present
    },
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
