import type { Log, Seeded, VirtualClock } from "holdfast/testing"
import type { Database } from "./database.ts"
import { openPort, type Port } from "./port.ts"
import type { Tally } from "./tally.ts"
import type { Trace } from "./trace.ts"
import type { Truth } from "./truth.ts"
import type { Watching } from "./watching.ts"

/** How badly the way to the log works. */
export interface BrokerConditions {
  latencyMs: () => number
  /** How likely it is that a notification is lost. */
  holes: number
}

/** A log that several nodes share over a network that delays, loses notifications, and breaks. */
export interface Broker {
  readonly conditions: BrokerConditions
  readonly port: (node: string) => Port
  /** The log is lost, and begins anew. */
  readonly loseEverything: () => void
  /** The log itself, for the checker. */
  readonly inside: () => Log
}

export interface BrokerPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly truth: Truth
  readonly trace: Trace
  readonly tally: Tally
  readonly database: Database
  readonly makeLog: (epoch: string) => Log
  /** Whether several nodes append to it. */
  readonly shared: boolean
}

export function createBroker(ports: BrokerPorts): Broker {
  const conditions: BrokerConditions = { latencyMs: () => 1, holes: 0 }
  const watchings = new Set<Watching>()
  let lives = 0
  let log: Log
  const begin = () => {
    const epoch = `e${++lives}`
    ports.truth.begin(epoch, ports.clock.monotonic())
    ports.trace.add("broker", `begins ${epoch}`)
    log = ports.makeLog(epoch)
    for (const watching of watchings) {
      void watching.follow(log)
      watching.notice()
    }
  }
  begin()
  const inside = () => log
  return {
    conditions,
    port: (node) => openPort(node, { ...ports, conditions, watchings, inside }),
    loseEverything: begin,
    inside,
  }
}
