import type { Logger } from "../../hub/ports/logger.ts"
import type { DrainOptions } from "../drain.ts"
import { consoleLogger } from "../logger.ts"

/** Ctrl-C goes to a whole group of processes, and is passed on besides: so soon, it is the same one. */
const SAME_SIGNAL_MS = 500

/** As the shell has it: 128 and the number of the signal. */
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 } as const

/** What can be drained: a hub, or what an app has around it. */
export interface Drainable {
  readonly drain: (options: DrainOptions) => Promise<void>
}

export interface DrainOnSignalsOptions extends DrainOptions {
  readonly logger?: Logger | undefined
}

/**
 * On SIGTERM and SIGINT, drains and then exits: with 0, or with 1 when it failed or took longer than `deadlineMs`, which is
 * logged. A second signal ends the process at once.
 */
export function drainOnSignals(hub: Drainable, options: DrainOnSignalsOptions = {}): void {
  const { logger = consoleLogger, ...drainOptions } = options
  let begunMs: number | undefined
  const handle = async (signal: keyof typeof EXIT_CODES) => {
    if (begunMs !== undefined) {
      if (performance.now() - begunMs > SAME_SIGNAL_MS) process.exit(EXIT_CODES[signal])
      return
    }
    begunMs = performance.now()
    try {
      await hub.drain({ closeWhenAlone: true, ...drainOptions })
      process.exit(0)
    } catch (error) {
      logger.error("the server could not be drained", { error })
      process.exit(1)
    }
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void handle(signal))
}
