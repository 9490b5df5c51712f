import type { Log } from "../../../src/log/log.ts"
import { HoldfastError } from "../../../src/protocol/error.ts"
import { sharedLog } from "../../../src/testing/shared-log.ts"
import type { VirtualClock } from "../../../src/testing/virtual-clock.ts"
import { leasingLog } from "../node-rig.ts"
import { CHANNEL } from "./client.ts"

/** What becomes of appends to the channel; `doubtful` ones are carried out, and reported as `in_doubt`. */
type Mode = "open" | "held" | "refused" | "doubtful"

/** A log for several nodes whose appends to one channel the test decides about. */
export function controlledLog(clock: VirtualClock, log: Log = sharedLog(leasingLog(clock))) {
  const held: (() => void)[] = []
  const control = { mode: "open" as Mode, appends: 0, atOnce: 0, atOnceMax: 0 }
  const decided: Log["append"] = async (...args) => {
    if (control.mode === "refused") throw new HoldfastError("log_unavailable")
    const outcome = await log.append(...args)
    if (control.mode === "doubtful") throw new HoldfastError("in_doubt")
    return outcome
  }
  const append: Log["append"] = async (channel, ...rest) => {
    if (channel !== CHANNEL) return log.append(channel, ...rest)
    control.appends++
    control.atOnceMax = Math.max(control.atOnceMax, ++control.atOnce)
    try {
      if (control.mode === "held") await new Promise<void>((resolve) => held.push(resolve))
      return await decided(channel, ...rest)
    } finally {
      control.atOnce--
    }
  }
  const release = (mode: Mode = "open") => {
    control.mode = mode
    for (const resolve of held.splice(0)) resolve()
  }
  return { log: { ...log, append } satisfies Log as Log, control, release }
}
