/** The hub's source of randomness and of one-way functions. */
export interface Entropy {
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /** A fresh name that nobody can guess: 128 bits or more, of the characters A-Z a-z 0-9 - _. */
  readonly uniqueId: () => string
  /** A one-way function: the same text gives the same 22 characters, from which nobody finds the text. */
  readonly digest: (text: string | Uint8Array) => string
}
