import type { Clock } from "../hub/ports/clock.ts"

/** One direction of a line: delivers in order, each piece after its latency. */
export interface Pipe<T> {
  /** Returns false when more is on its way than the high-water mark allows. */
  readonly send: (piece: T, bytes: number) => boolean
  /** Runs `then` behind everything that was sent, and takes nothing more. */
  readonly finish: (then: () => void) => void
  /** How much is on its way. */
  readonly bytes: () => number
  /** The receiver stops taking, or goes on. */
  readonly pause: () => void
  readonly resume: () => void
  /** Nothing arrives any more. */
  readonly block: () => void
  /** Takes nothing more; what is on its way is lost. */
  readonly close: () => void
}

interface Ends<T> {
  readonly handle: (piece: T) => void
  /** Everything was taken after the pipe had been full. */
  readonly handleDrain: () => void
}

export function pipe<T>(
  clock: Pick<Clock, "after" | "monotonic">,
  conditions: { readonly latencyMs: () => number; readonly highWaterBytes: number },
  { handle, handleDrain }: Ends<T>,
): Pipe<T> {
  const arrived: { readonly run: () => void; readonly bytes: number }[] = []
  let bytes = 0
  let lastDueMs = 0
  let full = false
  let paused = false
  let blocked = false
  let closed = false
  let finishing = false

  const flush = () => {
    while (!paused && !blocked && !closed) {
      const next = arrived.shift()
      if (next === undefined) break
      bytes -= next.bytes
      next.run()
    }
    if (full && bytes === 0 && !closed) {
      full = false
      handleDrain()
    }
  }
  const push = (run: () => void, size: number) => {
    bytes += size
    const now = clock.monotonic()
    lastDueMs = Math.max(lastDueMs, now + conditions.latencyMs())
    clock.after(lastDueMs - now, () => {
      if (closed) return
      arrived.push({ run, bytes: size })
      flush()
    })
  }
  return {
    send: (piece, size) => {
      if (closed || finishing) return true
      push(() => handle(piece), size)
      if (bytes > conditions.highWaterBytes) full = true
      return !full
    },
    finish: (then) => {
      if (closed || finishing) return
      finishing = true
      push(then, 0)
    },
    bytes: () => bytes,
    pause: () => {
      paused = true
    },
    resume: () => {
      if (!paused) return
      paused = false
      // a socket does not deliver from within `resume` either
      clock.after(0, flush)
    },
    block: () => {
      blocked = true
    },
    close: () => {
      closed = true
      arrived.length = 0
    },
  }
}
