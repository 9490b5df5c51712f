import type { Client, Transport } from "holdfast/client"
import type { Host, Log } from "holdfast/testing"
import type { SimulatedApp } from "./app.ts"

/**
 * A bug on purpose: where it can be put between the parts of the world, never in them. It is made anew for each run, so it
 * may remember things.
 */
export interface InjectedBug {
  /** The log that the nodes share; another one in each of its lives. */
  readonly log?: (make: () => Log) => Log
  /** A node's way to it; another one each time it starts. */
  readonly port?: (log: Log) => Log
  readonly host?: (host: Host) => Host
  readonly transport?: (transport: Transport) => Transport
  readonly client?: (client: Client<SimulatedApp>) => Client<SimulatedApp>
  /** Is told that a node has crashed. */
  readonly crash?: () => void
}
