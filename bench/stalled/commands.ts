import type { ContestantName } from "../contestants/contestants.ts"
import type { Delivered, Ports, Published } from "../process/commands.ts"

export type ServerName = "holdfast-memory" | "holdfast-lmdb" | "ws" | "socket.io"

/** What the server can be asked to do. */
export interface StalledServerCommands {
  start: (wanted: { readonly server: ServerName; readonly folder: string }) => Ports
  /** Publishes so many messages, turn after turn, each when the one before was delivered to all who read. */
  publish: (wanted: { readonly messages: number; readonly messagesPerTurn: number }) => PublishedLarge
  /** What the process holds, after garbage collection. */
  memory: () => Holding
}

export interface PublishedLarge extends Published {
  /** The most that the process held meanwhile, garbage included, looked at now and then. */
  readonly peakBytes: number
}

/** Bytes. */
export interface Holding {
  /** Resident memory, but for mapped files: those are the disk's cache, which the system takes back as it likes. */
  readonly anonymous: number
  readonly heapUsed: number
  readonly external: number
}

/** What the process of the subscribers can be asked to do. */
export interface StalledLoadCommands {
  /** Adds subscribers that read. */
  subscribe: (wanted: Wanted & { readonly readers: number }) => void
  /** Adds the one that subscribes and stops to read at once. */
  stall: (wanted: Wanted) => void
  begin: (messagesPerTurn: number) => void
  end: (publishedUs: Float64Array) => Delivered
  /** Lets the stalled one read on, until it has the message with the number `last`. */
  wake: (last: number) => Woken
}

export interface Wanted extends Ports {
  readonly contestant: ContestantName
}

export interface Woken {
  readonly elapsedMs: number
  /** Messages it was given, in the order published, each once. */
  readonly messages: number
  /** Messages that it was told it has missed. */
  readonly gap: number
}
