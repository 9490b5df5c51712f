import type { Message } from "./contestant.ts"

/** How long a message is as JSON. */
export const MESSAGE_BYTES = 128

const FIRST_ID = 1_000_000
const EMPTY_BYTES = JSON.stringify({ id: FIRST_ID, text: "" }).length
const TEXT = "The quick brown fox jumps over the lazy dog. ".repeat(3).slice(0, MESSAGE_BYTES - EMPTY_BYTES)

/** The message with this number, counted from 0. All are equally long. */
export function messageOf(number: number): Message {
  return { id: FIRST_ID + number, text: TEXT }
}

/** Checks, in order, that a subscriber was given every message, once, with its contents as they were. */
export class MessageCheck {
  #expected = 0

  /** @throws Error that says what came instead. */
  take(received: unknown): void {
    const { id, text } = (received ?? {}) as Partial<Message>
    const expected = messageOf(this.#expected++)
    if (id === expected.id && text === expected.text) return
    throw new Error(`expected ${JSON.stringify(expected)}, received ${JSON.stringify(received)}`)
  }
}
