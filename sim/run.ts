import type { Client, Transport } from "holdfast/client"
import { type Host, type Log, memoryLog, seeded, testNetwork, virtualClock } from "holdfast/testing"
import { type Actor, createActor } from "./actor.ts"
import { type SimulatedApp, simulatedApp } from "./app.ts"
import { createBroker } from "./broker.ts"
import { createChaos } from "./chaos.ts"
import { checkDelivery } from "./checks/delivery.ts"
import { checkFolds } from "./checks/folds.ts"
import {
  checkAcknowledged,
  checkCalls,
  checkKept,
  checkLastWrite,
  checkOnceIn,
  checkPublishOrder,
  checkSettled,
} from "./checks/publishing.ts"
import { checkReplayed } from "./checks/replayed.ts"
import type { Check, Evidence } from "./evidence.ts"
import { Ledger } from "./ledger.ts"
import { createNode } from "./node.ts"
import { drawProfile, type Profile, type ProfileOverrides } from "./profile.ts"
import { createTrace } from "./trace.ts"
import { Truth } from "./truth.ts"

const CHECKS: readonly Check[] = [
  checkDelivery,
  checkReplayed,
  checkFolds,
  checkSettled,
  checkCalls,
  checkOnceIn,
  checkAcknowledged,
  checkKept,
  checkPublishOrder,
  checkLastWrite,
]

export interface RunOptions extends ProfileOverrides {
  readonly seed: number
  /** Is given each line of the trace. */
  readonly print?: (line: string) => void
  /** A bug to be found. */
  readonly plant?: Plant
}

/** Where a bug can be planted: between the parts, never in them. Each is made once per run. */
export interface Plant {
  /** The log that the nodes share. */
  readonly log?: (make: () => Log) => Log
  /** A node's way to it. */
  readonly port?: (log: Log) => Log
  readonly host?: (host: Host) => Host
  readonly transport?: (transport: Transport) => Transport
  readonly client?: (client: Client<SimulatedApp>) => Client<SimulatedApp>
  /** Is told that a node has crashed. */
  readonly crash?: () => void
}

export interface Outcome {
  readonly seed: number
  readonly hash: string
  /** Empty when every guarantee was kept. */
  readonly violations: readonly string[]
  readonly profile: Profile
  readonly counts: { readonly entries: number; readonly told: number; readonly operations: number }
}

/** How long everybody may take to recover when nothing goes wrong any more, in ms. */
const RECOVERY_MS_MAX = 120_000
/** By then, each end of a line that is dead has noticed, and presence has forgotten who is gone. */
const AFTERMATH_MS = 8_000

/** One run: what happens, and what is to be said about it, follows from the seed alone. */
export async function run({ seed, print, plant = {}, ...overrides }: RunOptions): Promise<Outcome> {
  const random = seeded(seed)
  const profile = drawProfile(random.fork(), overrides)
  const clock = virtualClock()
  const trace = createTrace(clock.monotonic, print)
  const truth = new Truth()
  const ledger = new Ledger()
  const network = testNetwork(clock, { highWaterBytes: profile.highWaterBytes })
  const app = simulatedApp(profile.keep)
  const same = <T>(value: T) => value
  const makeLog = (epoch: string) => memoryLog({ epoch, tombstonesPerChannelMax: profile.tombstonesMax })
  const broker = createBroker({
    clock,
    random: random.fork(),
    truth,
    trace,
    shared: profile.nodes > 1,
    makeLog: (epoch) => plant.log?.(() => makeLog(epoch)) ?? makeLog(epoch),
  })
  const nodes = Array.from({ length: profile.nodes }, (_, index) =>
    createNode(`n${index + 1}`, {
      clock,
      random: random.fork(),
      network,
      broker,
      trace,
      app,
      profile,
      handleCall: (id) => ledger.called(id),
      handleDefect: (text) => ledger.violations.push(`defect: ${text}`),
      bendLog: plant.port ?? same,
      bendHost: plant.host ?? same,
      handleCrash: plant.crash ?? (() => {}),
    }),
  )
  const actors = Array.from({ length: profile.clients }, (_, index) => {
    const own = random.fork()
    return createActor(`c${index + 1}`, {
      clock,
      random: own.fork(),
      network,
      trace,
      ledger,
      channels: profile.channels,
      paddingMax: profile.paddingMax,
      route: () => {
        const up = nodes.filter((node) => node.isUp())
        return up.length === 0 ? undefined : own.pick(up).name
      },
      bendTransport: plant.transport ?? same,
      bendClient: plant.client ?? same,
    })
  })
  const chaos = createChaos({ clock, random: random.fork(), network, broker, nodes, actors, profile, trace })

  while (clock.monotonic() < profile.durationMs) {
    await clock.advance(random.between(1, profile.pauseMsMax))
    if (random.chance(profile.trouble)) chaos.strike()
    else random.pick(actors).act()
  }
  await chaos.heal()
  await clock.advance(AFTERMATH_MS)
  const isCalm = () =>
    actors.every((actor) => actor.status() === "open" && actor.presence() !== undefined) &&
    ledger.operations.every(({ outcome }) => outcome !== undefined) &&
    ledger.subscribers.every((subscriber) => {
      const { open, status, position } = subscriber.view()
      if (!open) return true
      const { epoch } = truth
      return (
        status === "live" && position?.epoch === epoch && position.offset === truth.top(subscriber.channel)
      )
    })
  const recover = () => clock.until(isCalm, RECOVERY_MS_MAX).catch(() => trace.add("run", "did not recover"))
  await recover()
  // whoever only seems to be live is found out by what is published now
  for (const channel of profile.channels) {
    const [pattern = "", name = ""] = channel.split("/")
    const operation =
      pattern === "price"
        ? ledger.begin("server", channel, "set", clock.monotonic(), "last")
        : ledger.begin("server", channel, "event", clock.monotonic())
    const hub = random.pick(nodes).hub()
    const data = { id: operation.id, padding: "" }
    const options = { idempotencyKey: operation.id }
    const work =
      pattern === "price"
        ? hub.channel("price/:name", { name }).set("value", "last", data, options)
        : hub.channel(`${pattern}/:name` as "feed/:name", { name }).publish("said", data, options)
    ledger.track(operation, work, (text) => trace.add("server", `${operation.id} ${text}`))
  }
  await recover()

  const evidence: Evidence = {
    profile,
    truth,
    ledger,
    kept: await keptBy(broker.inside(), profile.channels),
    present: knowsPresence(profile) ? presentOf(actors, profile) : undefined,
  }
  const violations = [
    ...truth.violations,
    ...ledger.violations,
    ...CHECKS.flatMap((check) => check(evidence)),
  ]
  for (const violation of violations) trace.add("check", violation)
  return {
    seed,
    hash: trace.hash(),
    violations,
    profile,
    counts: {
      entries: [...truth.lives()].reduce((sum, [, { entries }]) => sum + entries.length, 0),
      told: ledger.subscribers.reduce((sum, { told }) => sum + told.length, 0),
      operations: ledger.operations.length,
    },
  }
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

/** A node that others share the log with may leave members behind when it ends, and a lost log forgets them all. */
function knowsPresence({ faults, nodes }: Profile): boolean {
  return !faults.has("newEpoch") && nodes === 1
}

function presentOf(actors: readonly Actor[], profile: Profile): Map<string, Map<string, string>> {
  const present = new Map<string, Map<string, string>>()
  for (const channel of profile.channels) if (channel.startsWith("board")) present.set(channel, new Map())
  for (const actor of actors) {
    for (const [channel, id] of actor.presence() ?? []) present.get(channel)?.set(actor.member() ?? "", id)
  }
  return present
}
