/** How long a message is as JSON, about. */
export const STALLED_MESSAGE_BYTES = 10_000

const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(250).slice(0, STALLED_MESSAGE_BYTES - 24)
const FIRST_ID = 1_000_000

export interface LargeMessage {
  readonly id: number
  readonly text: string
}

/** The message with this number, counted from 0. All are equally long. */
export function largeMessage(number: number): LargeMessage {
  return { id: FIRST_ID + number, text: TEXT }
}

/** The number of the message in a frame's payload, whoever wrapped it in what. */
export function numberIn(payload: Buffer): number {
  const [, id] = payload.toString("latin1", 0, 200).match(/"id":(\d+)/) ?? []
  return Number(id) - FIRST_ID
}
