import type { HubOptions } from "../../src/hub/api/options.ts"
import type { Log } from "../../src/log/log.ts"
import { memoryLog } from "../../src/logs/memory/index.ts"
import { HoldfastError } from "../../src/protocol/error.ts"
import { type TestProcess, testProcess } from "../../src/testing/process.ts"
import { sharedLog } from "../../src/testing/shared-log.ts"
import { type VirtualClock, virtualClock } from "../../src/testing/virtual-clock.ts"
import { type Rig, rig } from "./rig.ts"
import { handlers, room } from "./room.ts"

const limits = { presenceLeaseMs: 8_000, nodeHeartbeatMs: 2_000, heartbeatMs: 1_000_000 }

interface Way {
  /** While it is closed, nothing can be asked of the log, and nothing is heard of it. */
  open: boolean
}

export interface Node extends Rig<typeof room, { id: string }>, Pick<TestProcess, "kill"> {
  readonly way: Way
  /** How far its wall clock is off, in ms. */
  skewMs: number
}

type Options = Omit<HubOptions<typeof room, { id: string }>, "log" | "logger">

/** A log that judges leases by virtual time. */
export function leasingLog(clock: VirtualClock): Log {
  return memoryLog({ epoch: "e1", now: clock.monotonic })
}

/** Nodes that share a log, each of which can be killed, and lose its way to the log. */
export function nodes(count: number, options: Options = {}, clock = virtualClock(), shared?: Log) {
  const log = shared ?? sharedLog(leasingLog(clock))
  const start = (): Node => {
    const skew = { ms: 0 }
    const process = testProcess({ clock, log }, () => skew.ms)
    const own = {
      authenticate: ({ token = "nobody" }) => ({ id: token }),
      channels: handlers,
      ...options,
      limits: { ...limits, ...options.limits },
    }
    const [way, logOnItsWay] = wayTo(process.log, clock)
    const r = rig<typeof room, { id: string }>(room, own, logOnItsWay, { ...clock, ...process.clock })
    const node = { ...r, kill: process.kill, way }
    return Object.defineProperty(node, "skewMs", { set: (ms) => (skew.ms = ms) }) as Node
  }
  return { clock, inside: log, start, all: Array.from({ length: count }, start) as [Node, Node, Node] }
}

function wayTo(log: Log, clock: VirtualClock): [Way, Log] {
  const listeners = new Set<(failure: HoldfastError | undefined) => void>()
  let open = true
  const failure = () => (open ? undefined : new HoldfastError("log_unavailable"))
  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    if (open) return work()
    await new Promise<void>((resolve) => clock.after(1_000, resolve))
    throw new HoldfastError("log_unavailable")
  }
  const way = {
    get open() {
      return open
    },
    set open(value) {
      open = value
      for (const listener of listeners) listener(failure())
    },
  }
  return [
    way,
    {
      ...log,
      append: (...args) => whileOpen(() => log.append(...args)),
      read: (...args) => whileOpen(() => log.read(...args)),
      head: (...args) => whileOpen(() => log.head(...args)),
      find: (...args) => whileOpen(() => log.find(...args)),
      trim: (...args) => whileOpen(() => log.trim(...args)),
      watch: (channel, listener) => log.watch(channel, (batch) => open && listener(batch)),
      watchAvailability: (listener) => {
        listeners.add(listener)
        listener(failure())
        return () => listeners.delete(listener)
      },
    },
  ]
}
