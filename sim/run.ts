import type { Log } from "holdfast/testing"
import type { Actor } from "./actor.ts"
import { checkDelivery } from "./checks/delivery.ts"
import { checkFolds } from "./checks/folds.ts"
import { checkPresence } from "./checks/presence.ts"
import {
  checkAcknowledged,
  checkCalls,
  checkKept,
  checkLastWrite,
  checkOnceIn,
  checkPublishOrder,
  checkSettled,
} from "./checks/publishing.ts"
import { checkReadings } from "./checks/readings.ts"
import { checkReplayed } from "./checks/replayed.ts"
import type { Check, Evidence } from "./evidence.ts"
import { Losses } from "./losses.ts"
import { codeOf } from "./operation.ts"
import type { Profile } from "./profile.ts"
import type { Counts } from "./tally.ts"
import { type Life, topOf } from "./truth.ts"
import { createWorld, type World, type WorldOptions } from "./world.ts"

const CHECKS: readonly Check[] = [
  checkDelivery,
  checkReplayed,
  checkFolds,
  checkPresence,
  checkReadings,
  checkSettled,
  checkCalls,
  checkOnceIn,
  checkAcknowledged,
  checkKept,
  checkPublishOrder,
  checkLastWrite,
]

export interface Outcome {
  readonly seed: number
  /** Of the trace: the same for the same seed. */
  readonly hash: string
  /** Empty when every guarantee was kept. */
  readonly violations: readonly string[]
  readonly counts: Counts
}

/** How many of the things that happen are reads of the server's own code. */
const READS = 0.03
/** How long clients may take to recover when nothing goes wrong any more, in ms. */
const RECOVERY_MS_MAX = 120_000
/** By then, what there is to be delivered has been. */
const ARRIVAL_MS_MAX = 10_000
/** By then, each end of a line that is dead has noticed, and presence has forgotten who is gone. */
const AFTERMATH_MS = 8_000

/** One run: what happens, and what is to be said about it, follows from the seed alone. */
export async function run(options: WorldOptions): Promise<Outcome> {
  const world = createWorld(options)
  const { clock, random, profile, chaos, actors, read, trace } = world
  while (clock.monotonic() < profile.durationMs) {
    await clock.advance(random.between(1, profile.pauseMsMax))
    if (random.chance(profile.trouble)) chaos.strike()
    else if (random.chance(READS)) read()
    else random.pick(actors).act()
  }
  await chaos.heal()
  await clock.advance(AFTERMATH_MS)
  await recover(world)
  // a client that only seems to be live is found out by what is published now
  publishEverywhere(world)
  await recover(world)

  const violations = await look(world)
  for (const violation of violations) trace.add("check", violation)
  return { seed: options.seed, hash: trace.hash(), violations, counts: countsOf(world) }
}

async function recover({ clock, profile, actors, ledger, truth, trace }: World): Promise<void> {
  const isSettled = () =>
    actors.every(
      (actor) => actor.status() === "open" && actor.pending() === 0 && actor.presence() !== undefined,
    ) && ledger.operations.every(({ outcome }) => outcome !== undefined)
  const areAll = (isThere: (life: Life, offset: number) => boolean) =>
    ledger.subscribers.every((subscriber) => {
      const { open, status, position } = subscriber.standing()
      if (!open) return true
      if (status !== "live" || position?.epoch !== truth.epoch) return false
      return isThere(truth.life(subscriber.channel), position.offset)
    })
  const isAtTop = (life: Life, offset: number) => offset === topOf(life)
  // an entry that was trimmed before it was delivered moves no position
  const isAtEnd = (life: Life, offset: number) => {
    if (isAtTop(life, offset)) return true
    const losses = new Losses(life, profile)
    return !life.entries.some((entry) => entry.offset > offset && losses.isOwed(entry, clock.monotonic()))
  }
  await clock.until(() => isSettled() && areAll(isAtTop), ARRIVAL_MS_MAX).catch(() => {})
  await clock
    .until(() => isSettled() && areAll(isAtEnd), RECOVERY_MS_MAX)
    .catch(() => trace.add("run", "did not recover"))
}

function publishEverywhere({ clock, random, profile, nodes, ledger, trace }: World): void {
  for (const channel of profile.channels) {
    const [pattern = "", name = ""] = channel.split("/")
    const isPrice = pattern === "price"
    const operation = isPrice
      ? ledger.begin("server", channel, "set", clock.monotonic(), "state/value last")
      : ledger.begin("server", channel, "event", clock.monotonic())
    const hub = random.pick(nodes).hub()
    const data = { id: operation.id, padding: "" }
    const options = { idempotencyKey: operation.id }
    const work = isPrice
      ? hub.channel("price/:name", { name }).set("value", "last", data, options)
      : hub.channel(`${pattern}/:name` as "feed/:name", { name }).publish("said", data, options)
    ledger.track(operation, work, clock.monotonic, (text) => trace.add("server", `${operation.id} ${text}`))
  }
}

/** Everything that is wrong. */
async function look({ profile, truth, ledger, database, broker, actors }: World): Promise<string[]> {
  const evidence: Evidence = {
    profile,
    truth,
    ledger,
    database,
    kept: await keptBy(broker.inside(), profile.channels),
    present: knowsPresence(profile) ? presentOf(actors, profile) : undefined,
  }
  return [...truth.violations, ...ledger.violations, ...CHECKS.flatMap((check) => check(evidence))]
}

async function keptBy(log: Log, channels: readonly string[]): Promise<Evidence["kept"]> {
  const everything = { after: 0, through: Number.MAX_SAFE_INTEGER, select: "all" } as const
  const kept = new Map()
  for (const channel of channels) {
    const unlimited = { entriesMax: Number.MAX_SAFE_INTEGER, bytesMax: Number.MAX_SAFE_INTEGER }
    kept.set(channel, await log.read(channel, { ...everything, ...unlimited }))
  }
  return kept
}

/** A lost log forgets the members; nodes that share one enter theirs again, and see off those of nodes that are gone. */
function knowsPresence({ faults, nodes }: Profile): boolean {
  return !faults.has("newEpoch") || nodes > 1
}

function presentOf(actors: readonly Actor[], profile: Profile) {
  const present = new Map<string, Map<string, string | undefined>>()
  for (const channel of profile.channels) if (channel.startsWith("board")) present.set(channel, new Map())
  for (const actor of actors) {
    for (const [channel, id] of actor.presence() ?? []) present.get(channel)?.set(actor.member() ?? "", id)
  }
  return present
}

function countsOf({ ledger, tally, profile, clock, truth }: World): Counts {
  tally.add("nodes", profile.nodes)
  tally.add("clients", profile.clients)
  tally.add("virtual seconds", Math.round(clock.monotonic() / 1_000))
  tally.add("operations", ledger.operations.length)
  tally.add("subscriptions", ledger.subscribers.length)
  tally.add("lives of the log", truth.epochs.length)
  tally.add(
    "followers checked",
    ledger.subscribers.filter((each) => each.view().followed !== undefined).length,
  )
  if (knowsPresence(profile)) tally.add("runs with presence known")
  for (const operation of ledger.operations) {
    const code = codeOf(operation)
    if (code !== undefined) tally.add(`failed with ${code}`)
  }
  return tally.counts()
}
