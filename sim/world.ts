import {
  memoryLog,
  type Seeded,
  seeded,
  type TestNetwork,
  testNetwork,
  type VirtualClock,
  virtualClock,
} from "holdfast/testing"
import { type Actor, createActor } from "./actor.ts"
import { simulatedApp } from "./app.ts"
import { type Broker, createBroker } from "./broker.ts"
import { type Chaos, createChaos } from "./chaos.ts"
import { countedHost } from "./counted.ts"
import { Database } from "./database.ts"
import type { InjectedBug } from "./injected-bug.ts"
import { Ledger } from "./ledger.ts"
import { createNode, type SimulatedNode } from "./node.ts"
import { drawProfile, type Profile, type ProfileOverrides } from "./profile.ts"
import { createReader } from "./reader.ts"
import { Tally } from "./tally.ts"
import { createTrace, type Trace } from "./trace.ts"
import { Truth } from "./truth.ts"

export interface WorldOptions {
  readonly seed: number
  /** Is given each line of the trace. */
  readonly print?: (line: string) => void
  /** Whether the trace that is printed has each message too. */
  readonly wire?: boolean
  /** A bug to be found. */
  readonly bug?: InjectedBug
  readonly overrides?: ProfileOverrides
}

/** Everything that one run is made of. */
export interface World {
  readonly random: Seeded
  readonly profile: Profile
  readonly clock: VirtualClock
  readonly network: TestNetwork
  readonly trace: Trace
  readonly tally: Tally
  readonly truth: Truth
  readonly ledger: Ledger
  readonly database: Database
  readonly broker: Broker
  readonly nodes: readonly SimulatedNode[]
  readonly actors: readonly Actor[]
  readonly chaos: Chaos
  /** The server's own code reads something. */
  readonly read: () => void
}

/** All chance comes from the seed; each part gets a source of its own, so that one does not shift another. */
export function createWorld({ seed, print, wire, bug = {}, overrides = {} }: WorldOptions): World {
  const random = seeded(seed)
  const profile = drawProfile(random.fork(), overrides)
  const clock = virtualClock()
  const trace = createTrace(clock.monotonic, print)
  const [tally, truth, ledger, database] = [new Tally(), new Truth(), new Ledger(), new Database()]
  const network = testNetwork(clock, { highWaterBytes: profile.highWaterBytes })
  if (wire && print) printMessages(network, clock, print)
  const app = simulatedApp(profile.keeps)
  const makeLog = (epoch: string) =>
    memoryLog({ epoch, tombstonesPerCollectionMax: profile.tombstonesMax, now: clock.now })
  const broker = createBroker({
    clock,
    random: random.fork(),
    truth,
    trace,
    tally,
    database,
    shared: profile.nodes > 1,
    makeLog: (epoch) => bug.log?.(() => makeLog(epoch)) ?? makeLog(epoch),
  })
  const same = <T>(value: T) => value
  const nodes = Array.from({ length: profile.nodes }, (_, index) =>
    createNode(`n${index + 1}`, {
      clock,
      random: random.fork(),
      network,
      broker,
      trace,
      app,
      profile,
      database,
      handleCall: (id) => ledger.called(id),
      handleDefect: (text) => ledger.violations.push(`defect: ${text}`),
      bendLog: bug.port ?? same,
      bendHost: (host) => countedHost(bug.host?.(host) ?? host, tally),
      handleCrash: bug.crash ?? (() => {}),
    }),
  )
  const actors = Array.from({ length: profile.clients }, (_, index) => {
    const own = random.fork()
    return createActor(`c${index + 1}`, {
      clock,
      random: own.fork(),
      network,
      trace,
      ledger,
      tally,
      channels: profile.channels,
      paddingMax: profile.paddingMax,
      removals: profile.removals,
      skewMsMax: profile.skewMsMax,
      route: () => {
        const up = nodes.filter((node) => node.isUp())
        return up.length === 0 ? undefined : own.pick(up).name
      },
      bendTransport: bug.transport ?? same,
      bendClient: bug.client ?? same,
    })
  })
  const chance = random.fork()
  const chaos = createChaos({ clock, random: chance, network, broker, nodes, actors, profile, trace, tally })
  const { channels } = profile
  const read = createReader({ clock, random: random.fork(), ledger, tally, truth, channels, nodes })
  return {
    random,
    profile,
    clock,
    network,
    trace,
    tally,
    truth,
    ledger,
    database,
    broker,
    nodes,
    actors,
    chaos,
    read,
  }
}

function printMessages(network: TestNetwork, clock: VirtualClock, print: (line: string) => void): void {
  network.onMessage(({ line: { client, host }, direction, message }) => {
    const way = direction === "up" ? `${host} gets from ${client}` : `${client} gets from ${host}`
    print(`${clock.monotonic().toFixed(1)} ${way} ${JSON.stringify(message)}`)
  })
}
