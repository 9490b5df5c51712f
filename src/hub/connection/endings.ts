import { HoldfastError } from "../../protocol/error.ts"
import type { Clock } from "../ports/clock.ts"
import type { Connection } from "./connection.ts"

/** The server's own code has ended the connections of a user, of a client, or all. */
export interface Ending {
  /** For people. */
  readonly reason: string
  /** Whether the clients come back by themselves. */
  readonly reconnect: boolean
  /** ms since 1970. */
  readonly atMs: number
}

/** Whose connections: of the user with this id, of the client that is this member, or of everybody here. */
export type Ended = { readonly user: string } | { readonly member: string } | "all"

interface Remembered extends Ending {
  readonly number: number
  readonly untilMs: number
}

export interface EndingsPorts {
  readonly clock: Clock
  readonly memoryMs: number
}

/** Beyond, the oldest are forgotten. */
const COUNT_MAX = 100_000

/**
 * The endings of late. A client may have no connection when it is ended: it is between two requests, in a back-off, or the server still
 * makes up its mind about it; or its connection is gone and its publish is not. So they are remembered for a while.
 */
export class Endings {
  readonly #ports: EndingsPorts
  /** By whom they concern and whether these come back; the oldest first. */
  readonly #endings = new Map<string, Remembered>()
  #number = 0

  constructor(ports: EndingsPorts) {
    this.#ports = ports
  }

  /** The number of the last one: what comes later has a greater one. */
  get number(): number {
    return this.#number
  }

  add(ended: Ended, ending: Ending): void {
    const { clock, memoryMs } = this.#ports
    const now = clock.monotonic()
    const key = keyOf(ended, ending.reconnect)
    this.#endings.delete(key)
    this.#endings.set(key, { ...ending, number: ++this.#number, untilMs: now + memoryMs })
    for (const [old, { untilMs }] of this.#endings) {
      if (untilMs > now && this.#endings.size <= COUNT_MAX) break
      this.#endings.delete(old)
    }
  }

  /**
   * The ending that concerns the client of this connection; undefined if there is none. `sinceMs`: since when the client is there, on the
   * server's clock. It may have been there before this connection was.
   */
  find(
    { userId, member, endingsBefore }: Connection,
    sinceMs = Number.POSITIVE_INFINITY,
  ): Ending | undefined {
    if (this.#endings.size === 0) return undefined
    const now = this.#ports.clock.monotonic()
    const concerned: Ended[] = ["all", { member }]
    if (userId !== undefined) concerned.push({ user: userId })
    for (const reconnect of [false, true]) {
      for (const ended of concerned) {
        const ending = this.#endings.get(keyOf(ended, reconnect))
        if (ending === undefined || ending.untilMs <= now) continue
        if (ending.number > endingsBefore || (!reconnect && sinceMs <= ending.atMs)) return ending
      }
    }
    return undefined
  }

  /** @throws HoldfastError `disconnected` when the client's connection was ended for good: nothing of it is published any more */
  check(connection: Connection): void {
    const ending = this.find(connection)
    if (ending?.reconnect === false) throw disconnected(ending)
  }
}

export function disconnected({ reason }: Pick<Ending, "reason">): HoldfastError {
  return new HoldfastError("disconnected", reason)
}

function keyOf(ended: Ended, reconnect: boolean): string {
  return JSON.stringify([ended, reconnect])
}
