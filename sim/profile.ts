import type { HubOptions, Seeded } from "holdfast/testing"
import { CHANNELS, type KeepLimits, type Keeps, kindOf, kinds, type SimulatedApp } from "./app.ts"

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
  "lull",
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
  readonly keeps: Keeps
  readonly tombstonesMax: number
  /** How likely a change of a key is a removal. */
  readonly removals: number
  readonly faults: ReadonlySet<Fault>
  /** How likely the next thing is a fault rather than something that a client does. */
  readonly trouble: number
  readonly highWaterBytes: number
  readonly paddingMax: number
  /** The longest that a handler or a loader takes, in ms. */
  readonly handlerMsMax: number
  /** The longest that a client is offline, in ms. */
  readonly offlineMsMax: number
  /** How long all clients are offline at once, in ms: at least, and at most. */
  readonly lullMs: readonly [least: number, most: number]
  /** How far the wall clock of a node, and the clock of a client, may be off, in ms. */
  readonly skewMsMax: number
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
/** Clocks are off by so little that a window with room for it is a window for all nodes alike. */
const LONG_WINDOW_MS = 60 * 60_000

export function drawProfile(random: Seeded, overrides: ProfileOverrides): Profile {
  const isShort = random.chance(0.3)
  // nothing is kept for long, so that channels are forgotten while no client is there
  const isForgetful = isShort && random.chance(0.5)
  const enabled = faults.filter((fault) => random.chance(0.5) && !(isShort && DELAYING.has(fault)))
  const windows = isForgetful ? 4 : isShort ? 1 : 0
  const durationMs = random.between(4, 16) * 1_000 + windows * SHORT_WINDOW_MS
  return {
    nodes: overrides.nodes ?? random.between(isForgetful ? 2 : 1, 3),
    clients: overrides.clients ?? random.between(2, 6),
    channels: drawChannels(random),
    durationMs: overrides.durationMs ?? durationMs,
    pauseMsMax: random.pick(isShort ? [100, 300] : [20, 100, 300]),
    keeps: drawKeeps(random, isForgetful),
    tombstonesMax: random.pick([2, 1_000]),
    removals: isForgetful ? 0.8 : 0.3,
    faults: new Set(isForgetful ? [...enabled, "lull"] : enabled),
    trouble: random.pick([0.05, 0.15, 0.3]),
    highWaterBytes: random.pick([200, 2_000, 64 * 1024]),
    paddingMax: random.pick([0, 100, 400]),
    handlerMsMax: random.pick([0, 0, 20]),
    offlineMsMax: isShort ? 2 * SHORT_WINDOW_MS : 3_000,
    lullMs: isForgetful ? [SHORT_WINDOW_MS, 2 * SHORT_WINDOW_MS] : [100, 3_000],
    skewMsMax: random.pick([4_000, 180_000]),
    limits: drawLimits(random, isShort),
  }
}

/** What the channel retains. */
export function keepOf({ keeps }: Profile, channel: string): KeepLimits {
  return keeps[kindOf(channel)]
}

function drawLimits(random: Seeded, isShort: boolean): Profile["limits"] {
  return {
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
    idempotencyWindowMs: isShort ? SHORT_WINDOW_MS : LONG_WINDOW_MS,
    idempotencyKeysPerUserMax: random.chance(0.1) ? 30 : 1_000_000,
    keysPerUserMax: random.chance(0.1) ? 2 : 1_000,
    trimIntervalMs: random.pick([1_000, 60_000]),
  }
}

function drawChannels(random: Seeded): readonly string[] {
  const count = random.between(1, 4)
  return Array.from({ length: count }, () => random.pick(CHANNELS)).filter(
    (name, index, names) => names.indexOf(name) === index,
  )
}

function drawKeeps(random: Seeded, isForgetful: boolean): Keeps {
  return Object.fromEntries(kinds.map((kind) => [kind, drawKeep(random, isForgetful)])) as Keeps
}

function drawKeep(random: Seeded, isForgetful: boolean): KeepLimits {
  const keep = {
    events: random.pick([1, 5, 20, 1_000]),
    forMs: random.pick([2_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]),
    bytes: random.pick([1_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]),
    removalsForMs: random.pick([500, 3_000, 24 * 60 * 60_000]),
  }
  return isForgetful ? { ...keep, forMs: 2_000, removalsForMs: 500 } : keep
}
