import { isPosition, type Position } from "../../../protocol/position.ts"

/** A position as one word, `EPOCH:OFFSET`: for the `id` of an event, and for a query. */
export function formatEventId({ epoch, offset }: Position): string {
  // An epoch may hold any character; escaped, it ends neither the line nor the word.
  return `${encodeURIComponent(epoch)}:${offset}`
}

/** Undefined when it is none. */
export function parseEventId(text: string): Position | undefined {
  const [, epoch = "", digits = ""] = /^([^:]+):(\d{1,16})$/.exec(text) ?? []
  try {
    const position = { epoch: decodeURIComponent(epoch), offset: Number(digits) }
    return isPosition(position) ? position : undefined
  } catch {
    // a percent sign without two digits
    return undefined
  }
}
