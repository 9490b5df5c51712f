/**
 * Where a cursor stands on a channel's log: behind the entry with this offset.
 * `epoch` names one life of the log; offsets of different epochs are not comparable.
 */
export interface Position {
  readonly epoch: string
  /** A whole number from 0 (before the first entry). Offsets rise; they need not be contiguous. */
  readonly offset: number
}

/** An epoch's greatest length, in UTF-16 code units. */
export const EPOCH_LENGTH_MAX = 64

export function isPosition(value: unknown): value is Position {
  if (typeof value !== "object" || value === null) return false
  const { epoch, offset } = value as Partial<Record<keyof Position, unknown>>
  return typeof epoch === "string" && epoch !== "" && epoch.length <= EPOCH_LENGTH_MAX && isOffset(offset)
}

export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}
