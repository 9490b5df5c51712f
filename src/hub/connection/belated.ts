import type { Log } from "../../log/log.ts"
import type { Position } from "../../protocol/position.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Belated, Connection } from "./connection.ts"
import type { Ending } from "./endings.ts"

export interface BelatedPorts {
  readonly clock: Clock
  readonly limits: Limits
}

/** Ends the connection once as many subscriptions as `count` are served, or the time of an ending is over. */
export function belated(
  { clock, limits }: BelatedPorts,
  connection: Connection,
  { reason, atMs }: Ending,
  count: number,
): Belated {
  let left = count
  const end = () => {
    cancel()
    connection.send({ type: "goaway", reason, reconnect: false, afterMs: 0 })
    connection.close("disconnected", reason)
  }
  const cancel = clock.after(limits.closeTimeoutMs, end)
  return {
    atMs,
    handleServed: () => {
      if (--left === 0) end()
    },
  }
}

/** Where the log stood at `atMs`, seen from a cursor: the entries say when they were made. */
export async function headAt(
  log: Log,
  channel: string,
  { epoch, offset }: Position,
  atMs: number,
  { pageEntriesMax: entriesMax, pageBytesMax: bytesMax }: Limits,
): Promise<Position> {
  const range = { through: Number.MAX_SAFE_INTEGER, select: "all", entriesMax, bytesMax } as const
  let after = offset
  for (;;) {
    const { head, entries, next } = await log.read(channel, { ...range, after })
    if (head.epoch !== epoch) return { epoch: head.epoch, offset: head.top }
    const behind = entries.find(({ at }) => at > atMs)
    if (behind !== undefined) return { epoch, offset: behind.offset - 1 }
    if (next >= head.top) return { epoch, offset: next }
    after = next
  }
}
