import type { GapReason } from "../protocol/message.ts"
import type { Position } from "../protocol/position.ts"
import type { Head } from "./log.ts"

/** What a cursor has missed. */
export interface Miss {
  readonly reason: GapReason
  /** The collections that have lost entries; undefined: all of them may have. */
  readonly collections: readonly string[] | undefined
  /** The last position that may be missing. Without `collections` the cursor goes on from here, otherwise from where it is. */
  readonly to: Position
}

/**
 * What is missing between a cursor and a log with this head; undefined when the cursor can read on.
 * @param covered up to which offset a collection needs no entries, where that is above the cursor
 */
export function missed(
  position: Position,
  head: Head,
  covered?: Pick<ReadonlyMap<string, number>, "get">,
): Miss | undefined {
  const at = (offset: number): Position => ({ epoch: head.epoch, offset })
  if (position.epoch !== head.epoch) return { reason: "new-epoch", collections: undefined, to: at(head.base) }
  if (position.offset > head.top)
    return { reason: "unknown-position", collections: undefined, to: at(head.top) }
  if (position.offset < head.base) return { reason: "trimmed", collections: undefined, to: at(head.base) }
  const lost = Object.entries(head.floors).filter(
    ([collection, floor]) => floor > Math.max(position.offset, covered?.get(collection) ?? 0),
  )
  if (lost.length === 0) return undefined
  return {
    reason: "trimmed",
    collections: lost.map(([collection]) => collection),
    to: at(Math.max(...lost.map(([, floor]) => floor))),
  }
}
