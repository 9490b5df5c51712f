/** The client's source of randomness. */
export interface Entropy {
  /** From 0 up to, not including, 1. Spreads reconnects. */
  readonly random: () => number
  /** A fresh name that nobody can guess: 128 bits or more, of the characters A-Z a-z 0-9 - _. */
  readonly uniqueId: () => string
}
