import { CLOSE_TIMEOUT } from "../protocol/close.ts"
import type { ServerMessage } from "../protocol/message.ts"
import type { Outbox } from "./outbox.ts"
import type { Line, Wire } from "./transport.ts"
import type { Turns } from "./turns.ts"

/** How long calls may still be answered over a line whose place was taken, in ms. */
const LATE_CALLS_MS = 10_000

interface Held {
  readonly line?: Line
}

export interface LateLinePorts {
  readonly decode: (wire: Wire) => ServerMessage
  readonly inputLater: Turns["inputLater"]
  readonly handleError: (error: unknown) => void
}

/**
 * The line whose place was taken, as long as there are calls to be answered over it: of what comes over it only that counts, all else
 * comes over the one that is up.
 */
export function createLateLine(outbox: Outbox, { decode, inputLater, handleError }: LateLinePorts) {
  let late: Held | undefined
  const end = () => {
    const held = late
    if (!held) return
    late = undefined
    held.line?.close(CLOSE_TIMEOUT, "")
    outbox.handleDown(held)
  }
  return {
    is: (held: Held): boolean => held === late,
    /** Takes a line whose place was taken. It is closed as soon as nothing is to come over it any more. */
    take: (held: Held): void => {
      end()
      late = held
      if (outbox.handleDown(held, true)) inputLater(LATE_CALLS_MS, () => held === late && end())
      else end()
    },
    handleMessage: (wire: Wire): void => {
      const held = late as Held
      try {
        const message = decode(wire)
        if (message.type === "result" || message.type === "error") outbox.handleAnswer(message, held)
        if (outbox.waitsFor(held)) return
      } catch (error) {
        handleError(error)
      }
      end()
    },
    end,
  }
}
