import type { Keep } from "holdfast"
import type { HubOptions, Seeded } from "holdfast/testing"
import type { SimulatedApp } from "./app.ts"

/** What can go wrong in a run. Each run has some of it, so that rare combinations are not drowned by frequent ones. */
export const faults = [
  "cut",
  "halfCut",
  "blackHole",
  "stall",
  "crash",
  "leave",
  "unreachable",
  "holes",
  "newEpoch",
  "jump",
  "latency",
] as const
export type Fault = (typeof faults)[number]

/** What one seed is about. */
export interface Profile {
  readonly nodes: number
  readonly clients: number
  readonly channels: readonly string[]
  readonly durationMs: number
  /** The longest pause between two things that happen, in ms. */
  readonly pauseMsMax: number
  readonly keep: Keep
  readonly tombstonesMax: number
  readonly faults: ReadonlySet<Fault>
  /** How likely the next thing is a fault rather than something that a client does. */
  readonly trouble: number
  readonly highWaterBytes: number
  readonly paddingMax: number
  readonly limits: NonNullable<HubOptions<SimulatedApp, undefined>["limits"]>
}

/** What may be fixed from outside instead of drawn. */
export interface ProfileOverrides {
  readonly nodes?: number
  readonly clients?: number
  readonly durationMs?: number
}

export function drawProfile(random: Seeded, overrides: ProfileOverrides): Profile {
  return {
    nodes: overrides.nodes ?? random.between(1, 3),
    clients: overrides.clients ?? random.between(2, 6),
    channels: drawChannels(random),
    durationMs: overrides.durationMs ?? random.between(4, 16) * 1_000,
    pauseMsMax: random.pick([20, 100, 300]),
    keep: drawKeep(random),
    tombstonesMax: random.pick([2, 1_000]),
    faults: new Set(faults.filter((_fault) => random.chance(0.5))),
    trouble: random.pick([0.05, 0.15, 0.3]),
    highWaterBytes: random.pick([200, 2_000, 64 * 1024]),
    paddingMax: random.pick([0, 100, 400]),
    limits: {
      heartbeatMs: 2_000,
      helloTimeoutMs: 2_000,
      presenceLeaseMs: 1_000,
      presenceGraceMs: random.pick([0, 200, 1_000]),
      pageEntriesMax: random.pick([1, 3, 500]),
      pageBytesMax: random.pick([100, 256 * 1024]),
      burstBytesMax: random.pick([50, 256 * 1024]),
      catchUpBytesPerTurnMax: random.pick([100, 1024 * 1024]),
      encodedCacheBytesMax: random.pick([0, 1_000, 16 * 1024 * 1024]),
      pendingMessagesPerConnectionMax: random.pick([1, 4, 64]),
    },
  }
}

function drawChannels(random: Seeded): readonly string[] {
  const all = ["feed/a", "feed/b", "board/a", "board/b", "price/a"]
  const count = random.between(1, 4)
  return Array.from({ length: count }, () => random.pick(all)).filter(
    (name, index, names) => names.indexOf(name) === index,
  )
}

function drawKeep(random: Seeded): Keep {
  return {
    events: random.pick([1, 5, 20, 1_000]),
    forMs: random.pick([2_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]),
  }
}
