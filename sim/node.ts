import { HoldfastError } from "holdfast/client"
import {
  createHubCore,
  type Host,
  type HubCore,
  type Log,
  type Seeded,
  type TestNetwork,
  testProcess,
  type VirtualClock,
} from "holdfast/testing"
import { handlers, type SimulatedApp } from "./app.ts"
import type { Broker } from "./broker.ts"
import type { Database } from "./database.ts"
import type { Port } from "./port.ts"
import type { Profile } from "./profile.ts"
import type { Trace } from "./trace.ts"

/** A machine that runs a hub, crashes, and starts again. */
export interface SimulatedNode {
  readonly name: string
  readonly isUp: () => boolean
  /** The hub that runs now. */
  readonly hub: () => HubCore<SimulatedApp, undefined>
  readonly port: () => Port
  readonly start: () => void
  /** Ends without a word. */
  readonly crash: () => void
  /** Sends its clients away, tells presence, and ends. */
  readonly leave: () => Promise<void>
  /** Sets its wall clock forward or back: it is off by so much from now on. */
  readonly jump: (skewMs: number) => void
}

export interface NodePorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly network: TestNetwork
  readonly broker: Broker
  readonly trace: Trace
  readonly app: SimulatedApp
  readonly profile: Profile
  readonly database: Database
  readonly handleCall: (id: string) => void
  /** The hub reports what should not happen. */
  readonly handleDefect: (text: string) => void
  /** Puts something of an injected bug between the hub and its log, or the network. */
  readonly bendLog: (log: Log) => Log
  readonly bendHost: (host: Host) => Host
  readonly handleCrash: () => void
}

export function createNode(name: string, ports: NodePorts): SimulatedNode {
  const { clock, random, network, broker, trace, profile } = ports
  let skewMs = 0
  let up = false
  /** What it loads is as of some moment between the asking and the answer; and it can fail, as any query can. */
  const load = async (channel: string, pause: () => Promise<void> | undefined) => {
    await pause()
    if (random.chance(0.1)) throw new HoldfastError("log_unavailable", "the database is away")
    const loaded = ports.database.load(channel)
    await pause()
    return loaded
  }
  const start = () => {
    const port = broker.port(name)
    const process = testProcess({ clock, log: ports.bendLog(port.log) }, () => skewMs)
    const pause = () => {
      const ms = random.between(0, profile.handlerMsMax)
      return ms === 0 ? undefined : new Promise<void>((resolve) => process.clock.after(ms, resolve))
    }
    const report = (text: string, fields: Readonly<Record<string, unknown>>) => {
      trace.add(name, `reports: ${text} ${String(fields.error)}`)
      if (!isBadLuck(fields.error)) ports.handleDefect(`${name}: ${text}: ${describe(fields.error)}`)
    }
    // logs are lost and clocks are set here, so clients of another life of the log are to be expected
    const warn: typeof report = (text, fields) =>
      "broughtEpoch" in fields ? trace.add(name, `warns: ${text}`) : report(text, fields)
    const hub = createHubCore<SimulatedApp, undefined, unknown>(
      ports.app,
      {
        channels: handlers({ handleCall: ports.handleCall, pause, load: (channel) => load(channel, pause) }),
        limits: profile.limits,
        logger: { warn, error: report },
      },
      { clock: process.clock, log: process.log, entropy: random.fork() },
    )
    network.serve(name, ports.bendHost(hub))
    up = true
    return { hub, port, kill: process.kill }
  }
  let running = start()
  const end = () => {
    running.kill()
    running.port.abandon()
    network.fail(name)
  }
  return {
    name,
    isUp: () => up,
    hub: () => running.hub,
    port: () => running.port,
    start: () => {
      trace.add(name, "starts")
      running = start()
    },
    crash: () => {
      trace.add(name, "crashes")
      up = false
      end()
      ports.handleCrash()
    },
    leave: async () => {
      trace.add(name, "closes")
      up = false
      network.refuse(name)
      await running.hub.close()
      end()
      trace.add(name, "has closed")
    },
    jump: (ms) => {
      trace.add(name, `its wall clock is off by ${ms} ms`)
      skewMs = ms
    },
  }
}

/** The log can't always be reached here; that the hub says so is right. */
function isBadLuck(error: unknown): boolean {
  return error instanceof HoldfastError && (error.code === "log_unavailable" || error.code === "closed")
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
