import type { Keep } from "holdfast"
import type { HubOptions, Seeded } from "holdfast/testing"
import { CHANNELS, type SimulatedApp } from "./app.ts"

/** What can go wrong in a run. Each run has some of it, so that rare combinations are not drowned by frequent ones. */
export const faults = [
  "cut",
  "halfCut",
  "blackHole",
  "stall",
  "crash",
  "leave",
  "handOver",
  "unreachable",
  "holes",
  "newEpoch",
  "jump",
  "latency",
  "offline",
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
  /** The longest that a handler or a loader takes, in ms. */
  readonly handlerMsMax: number
  /** The longest that a client is offline, in ms. */
  readonly offlineMsMax: number
  readonly limits: NonNullable<HubOptions<SimulatedApp, undefined>["limits"]>
}

/** What may be fixed from outside instead of drawn. */
export interface ProfileOverrides {
  readonly nodes?: number
  readonly clients?: number
  readonly durationMs?: number
}

/** What is sent again when more than most of this time is over is in doubt, and not sent again. */
const SHORT_WINDOW_MS = 12_000
/** Together with a short window: they delay what is sent in time until it is too late, which a real window has room for. */
const DELAYING: ReadonlySet<Fault> = new Set(["latency", "jump"])

export function drawProfile(random: Seeded, overrides: ProfileOverrides): Profile {
  const isShort = random.chance(0.2)
  const enabled = faults.filter((fault) => random.chance(0.5) && !(isShort && DELAYING.has(fault)))
  const durationMs = random.between(4, 16) * 1_000 + (isShort ? SHORT_WINDOW_MS : 0)
  return {
    nodes: overrides.nodes ?? random.between(1, 3),
    clients: overrides.clients ?? random.between(2, 6),
    channels: drawChannels(random),
    durationMs: overrides.durationMs ?? durationMs,
    pauseMsMax: random.pick(isShort ? [100, 300] : [20, 100, 300]),
    keep: drawKeep(random),
    tombstonesMax: random.pick([2, 1_000]),
    faults: new Set(enabled),
    trouble: random.pick([0.05, 0.15, 0.3]),
    highWaterBytes: random.pick([200, 2_000, 64 * 1024]),
    paddingMax: random.pick([0, 100, 400]),
    handlerMsMax: random.pick([0, 0, 20]),
    offlineMsMax: isShort ? 2 * SHORT_WINDOW_MS : 3_000,
    limits: {
      heartbeatMs: 2_000,
      helloTimeoutMs: 2_000,
      presenceLeaseMs: 1_000,
      handoverMs: 1_000,
      presenceGraceMs: random.pick([0, 200, 1_000]),
      pageEntriesMax: random.pick([1, 3, 500]),
      pageBytesMax: random.pick([100, 256 * 1024]),
      burstBytesMax: random.pick([50, 256 * 1024]),
      catchUpBytesPerTurnMax: random.pick([100, 1024 * 1024]),
      encodedCacheBytesMax: random.pick([0, 1_000, 16 * 1024 * 1024]),
      pendingMessagesPerConnectionMax: isShort ? 64 : random.pick([1, 4, 64]),
      ...(isShort && { idempotencyWindowMs: SHORT_WINDOW_MS }),
    },
  }
}

function drawChannels(random: Seeded): readonly string[] {
  const count = random.between(1, 4)
  return Array.from({ length: count }, () => random.pick(CHANNELS)).filter(
    (name, index, names) => names.indexOf(name) === index,
  )
}

function drawKeep(random: Seeded): Keep {
  return {
    events: random.pick([1, 5, 20, 1_000]),
    forMs: random.pick([2_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]),
    bytes: random.pick([1_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]),
  }
}
