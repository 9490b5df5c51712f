import type { Position } from "holdfast/client"

/** Something that was asked for and gets an answer. */
export interface Operation {
  readonly id: string
  readonly by: string
  readonly channel: string
  readonly kind: "event" | "set" | "delete" | "enter" | "leave" | "call"
  /** Of a state: which key of which. */
  readonly place?: string
  /** How many operations of the same run came before. */
  readonly sequence: number
  readonly startedAtMs: number
  settledAtMs?: number
  outcome?: { readonly position?: Position; readonly data?: unknown } | { readonly code: string }
}

export function codeOf(operation: Operation): string | undefined {
  const { outcome } = operation
  return outcome !== undefined && "code" in outcome ? outcome.code : undefined
}

export function positionOf(operation: Operation): Position | undefined {
  const { outcome } = operation
  return outcome !== undefined && "position" in outcome ? outcome.position : undefined
}
