import type { GapReason } from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import type { Head } from "./log.ts"

/** Why a cursor cannot go on where it stands, and where it can. */
export interface Miss {
  readonly reason: GapReason
  readonly to: Position
}

/** What stands between a cursor at `position` and a log with this head; undefined when it can simply read on. */
export function missed(position: Position, head: Head): Miss | undefined {
  // of a new life of the log, the subscriber has seen nothing: it goes on with everything that is retained
  if (position.epoch !== head.epoch)
    return { reason: "new-epoch", to: { epoch: head.epoch, offset: head.floor } }
  if (position.offset > head.top)
    return { reason: "unknown-position", to: { epoch: head.epoch, offset: head.top } }
  if (position.offset < head.floor)
    return { reason: "trimmed", to: { epoch: head.epoch, offset: head.floor } }
  return undefined
}
