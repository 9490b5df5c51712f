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
  /** While it is closed, nothing can be asked of the log. */
  open: boolean
  /** While it does not tell, what is appended is not heard of. */
  told: boolean
}

export interface Node extends Rig<typeof room, { id: string }>, Pick<TestProcess, "kill"> {
  readonly way: Way
}

type Options = Omit<HubOptions<typeof room, { id: string }>, "log" | "logger">

/** Nodes that share a log, each of which can be killed, and lose its way to the log. */
export function nodes(
  count: number,
  options: Options = {},
  shared: Log = sharedLog(memoryLog({ epoch: "e1" })),
  clock = virtualClock(),
) {
  const start = (): Node => {
    const way = { open: true, told: true }
    const process = testProcess({ clock, log: shared })
    const own = {
      authenticate: ({ token = "nobody" }) => ({ id: token }),
      channels: handlers,
      ...options,
      limits: { ...limits, ...options.limits },
    }
    const r = rig<typeof room, { id: string }>(room, own, wayTo(process.log, way, clock), {
      ...clock,
      ...process.clock,
    })
    return { ...r, kill: process.kill, way }
  }
  return { clock, inside: shared, start, all: Array.from({ length: count }, start) as [Node, Node, Node] }
}

function wayTo(log: Log, way: Way, clock: VirtualClock): Log {
  const whileOpen = async <T>(work: () => Promise<T>): Promise<T> => {
    if (way.open) return work()
    await new Promise<void>((resolve) => clock.after(1_000, resolve))
    throw new HoldfastError("log_unavailable")
  }
  return {
    ...log,
    append: (...args) => whileOpen(() => log.append(...args)),
    read: (...args) => whileOpen(() => log.read(...args)),
    head: (...args) => whileOpen(() => log.head(...args)),
    watch: (channel, listener) => log.watch(channel, (batch) => way.open && way.told && listener(batch)),
  }
}
