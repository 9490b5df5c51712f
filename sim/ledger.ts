import { HoldfastError, type Position } from "holdfast/client"
import type { Operation } from "./operation.ts"
import type { Reading } from "./reader.ts"
import type { Subscriber } from "./subscriber.ts"

/** What all clients asked for and were told, for the checker. */
export class Ledger {
  readonly operations: Operation[] = []
  readonly subscribers: Subscriber[] = []
  readonly readings: Reading[] = []
  /** How often each call was carried out. */
  readonly calls = new Map<string, number>()
  /** What was seen to be wrong while the run went on. */
  readonly violations: string[] = []

  begin(by: string, channel: string, kind: Operation["kind"], nowMs: number, place?: string): Operation {
    const sequence = this.operations.length
    const id = `${by}.${sequence}`
    const operation: Operation = {
      id,
      by,
      channel,
      kind,
      sequence,
      startedAtMs: nowMs,
      ...(place !== undefined && { place }),
    }
    this.operations.push(operation)
    return operation
  }

  /** Writes down how `work` ends, and when. */
  track(
    operation: Operation,
    work: Promise<unknown>,
    nowMs: () => number,
    tell: (text: string) => void,
  ): void {
    work.then(
      (value) => {
        operation.settledAtMs = nowMs()
        if (operation.outcome !== undefined) this.violations.push(`settles: ${operation.id} settled twice`)
        operation.outcome = operation.kind === "call" ? { data: value } : outcomeOf(value)
        tell(`is done: ${JSON.stringify(value)}`)
      },
      (error: unknown) => {
        const code = error instanceof HoldfastError ? error.code : `defect ${describe(error)}`
        operation.settledAtMs = nowMs()
        operation.outcome = { code }
        tell(`fails: ${code}`)
      },
    )
  }

  called(id: string): void {
    this.calls.set(id, (this.calls.get(id) ?? 0) + 1)
  }
}

function outcomeOf(value: unknown): { readonly position?: Position } {
  return value === undefined ? {} : { position: value as Position }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
