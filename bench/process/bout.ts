import type { ContestantName } from "../contestants/contestants.ts"
import type { LoadCommands, ServerCommands } from "./commands.ts"
import { Worker } from "./worker.ts"

/** A contestant's server and its subscribers, each in a fresh process of its own. */
export interface Bout {
  readonly server: Worker<ServerCommands>
  readonly load: Worker<LoadCommands>
  /** Adds subscribers, one of them with the contestant's own client library when `checked`. */
  readonly subscribe: (subscribers: number, checked?: boolean) => Promise<void>
}

/** Runs `measure` on a fresh bout, whose processes have ended when this settles. */
export async function bout<T>(
  contestant: ContestantName,
  serverOptions: readonly string[],
  measure: (bout: Bout) => Promise<T>,
): Promise<T> {
  const server = new Worker<ServerCommands>("server.ts", serverOptions)
  const load = new Worker<LoadCommands>("load.ts")
  try {
    const ports = await server.ask("start", contestant)
    const subscribe = async (subscribers: number, checked = false) => {
      await load.ask("subscribe", { ...ports, contestant, subscribers, checked })
    }
    return await measure({ server, load, subscribe })
  } finally {
    await load.stop()
    await server.stop()
  }
}
