import type { Ports, Turns } from "../process/commands.ts"

export type ContenderName = "holdfast-json" | "holdfast-msgpack" | "socket.io"

/** What the process of a node can be asked to do. Times are µs of the machine's monotonic clock, CPU times µs too. */
export interface NodeCommands {
  start: (wanted: { readonly contender: ContenderName; readonly engineUrl: string }) => Ports
  /** From now on counts what it uses, whoever publishes. */
  begin: () => void
  /** Says what it has used since. */
  end: () => { readonly cpuUs: number }
  /** Publishes turn after turn for so long, each when all subscribers of all nodes have the one before. */
  publish: (turns: Turns) => TurnsPublished
  /** Publishes turns at a steady pace for so long, and answers when all is delivered. */
  publishSteadily: (turns: SteadyTurnsWanted) => TurnsPublished
}

export interface SteadyTurnsWanted extends Turns {
  readonly intervalUs: number
}

export interface TurnsPublished {
  /** When each message was published, or due. */
  readonly publishedUs: Float64Array
  readonly elapsedUs: number
}
