import type { ContestantName } from "../contestants/contestants.ts"

/** What the process of the server can be asked to do. Times are µs of the machine's monotonic clock, CPU times µs too. */
export interface ServerCommands {
  /** Starts the contestant. */
  start: (contestant: ContestantName) => Ports
  /** Publishes turn after turn for so long, each when the one before was delivered. */
  publish: (turns: Turns) => Published
  /** What the process holds, after garbage collection. */
  memory: () => MemoryUse
  /** Writes a heap snapshot into a folder and says its name. */
  heapSnapshot: (folder: string) => string
}

export interface Ports {
  readonly port: number
  /** Where the load reports, with a byte a turn, that everything was delivered. */
  readonly pacePort: number
}

export interface Turns {
  /** How many messages are published in one turn of the event loop. */
  readonly messagesPerTurn: number
  readonly durationMs: number
}

export interface Published {
  /** When each message was published. */
  readonly publishedUs: Float64Array
  readonly elapsedUs: number
  readonly cpuUs: number
}

/** Bytes, as `process.memoryUsage` names them. */
export interface MemoryUse {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

/** What the process of the subscribers can be asked to do. */
export interface LoadCommands {
  /** Adds subscribers, one of them with the contestant's own client library when `checked`. */
  subscribe: (wanted: Wanted) => void
  /** From now on, counts what is delivered in turns of so many messages. */
  begin: (messagesPerTurn: number) => void
  /** Says what was delivered since, given when it was published. */
  end: (publishedUs: Float64Array) => Delivered
}

export interface Wanted extends Ports {
  readonly contestant: ContestantName
  readonly subscribers: number
  readonly checked: boolean
}

export interface Delivered {
  /** Messages delivered, over all subscribers. */
  readonly total: number
  /** The fewest and the most that one subscriber received. */
  readonly fewest: number
  readonly most: number
  /** From publish to delivery. */
  readonly latencyMs: { readonly p50: number; readonly p99: number }
  readonly cpuUs: number
}
