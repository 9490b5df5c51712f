import type { Position } from "holdfast/client"
import type { Ports } from "../process/commands.ts"

/** How far apart the messages of the live traffic are published. */
export const LIVE_INTERVAL_US = 2_000

export type LogName = "memory" | "lmdb"

/** What the server can be asked to do. Times are µs of the machine's monotonic clock, CPU times µs too. */
export interface RecoveryServerCommands {
  start: (wanted: { readonly log: LogName; readonly folder: string }) => Ports
  /** Publishes so many messages on the channel of those who return. Says where they end. */
  publish: (count: number) => Position
  /** Answers when so many connections are left. */
  awaitConnections: (count: number) => void
  /** From now on counts what it costs and, if so wanted, publishes live traffic on another channel. */
  begin: (wanted: { readonly live: boolean }) => void
  /** Ends that, when all live traffic was delivered. */
  end: () => Spent
}

export interface Spent {
  readonly elapsedUs: number
  readonly cpuUs: number
  /** When each message of the live traffic was due. */
  readonly dueUs: Float64Array
}

/** What the process of those who return can be asked to do. */
export interface RecoveryLoadCommands {
  /** Connects all at once, each from where it stood, and answers when all stand at `top`. */
  connect: (wanted: Wanted) => Returned
  /** Subscribes on connections that are there, all at once, and answers when all stand at `top`. */
  subscribe: (wanted: Wanted) => Returned
  /** Cuts all lines. */
  cut: () => void
}

export interface Wanted {
  readonly port: number
  readonly clients: number
  /** Where to subscribe until; undefined: only to connect. */
  readonly top: Position | undefined
}

export interface Returned {
  readonly elapsedMs: number
  /** What all of them received, messages and their bytes on the wire. */
  readonly entries: number
  readonly bytes: number
  /** From the start until half, and 99 %, of them had everything. */
  readonly caughtUpMs: { readonly p50: number; readonly p99: number }
}
