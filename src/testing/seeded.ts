/** Chance that repeats: everything drawn from one seed comes out the same each time. */
export interface Seeded {
  /** From 0 up to, not including, 1. */
  readonly random: () => number
  /** A whole number from `low` up to and including `high`. */
  readonly between: (low: number, high: number) => number
  readonly chance: (probability: number) => boolean
  readonly pick: <T>(items: readonly T[]) => T
  /** 22 characters of A-Z a-z 0-9 - _. */
  readonly uniqueId: () => string
  /** Another source that goes its own way from here, so that what is drawn from one does not shift the other. */
  readonly fork: () => Seeded
  /** Deterministic, and spread well enough for tests; not a one-way function. */
  readonly digest: (text: string | Uint8Array) => string
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

/** It fits the entropy of the hub and of the client. */
export function seeded(seed: number): Seeded {
  const random = mulberry32(seed)
  const name = (next: () => number) =>
    Array.from({ length: 22 }, () => ALPHABET[Math.floor(next() * 64)]).join("")
  const between = (low: number, high: number) => low + Math.floor(random() * (high - low + 1))
  return {
    random,
    between,
    chance: (probability) => random() < probability,
    pick: <T>(items: readonly T[]) => items[between(0, items.length - 1)] as T,
    uniqueId: () => name(random),
    fork: () => seeded(Math.floor(random() * 4_294_967_296)),
    digest: (text) =>
      name(mulberry32(fnv1a(typeof text === "string" ? new TextEncoder().encode(text) : text))),
  }
}

/** Tommy Ettinger's mulberry32: 32 bits of state, good enough for a simulation, and fast. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** Fowler, Noll and Vo's hash, 32 bits. */
function fnv1a(bytes: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}
