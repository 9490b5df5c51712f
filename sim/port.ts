import type { AppendOptions, Head, Log, Operation, Outcome } from "holdfast/testing"
import type { BrokerConditions, BrokerPorts } from "./broker.ts"
import { EVENTS } from "./collections.ts"
import { idOf } from "./truth.ts"
import { Watching } from "./watching.ts"
import { Way } from "./way.ts"

/** One node's way to the log. */
export interface Port {
  readonly log: Log
  readonly isReachable: () => boolean
  /** While it is not, requests are refused, notifications lost, and answers wait. */
  readonly setReachable: (reachable: boolean) => void
  /** The node is gone: what it had asked for and has not arrived may be lost. */
  readonly abandon: () => void
}

export interface PortPorts extends BrokerPorts {
  readonly conditions: BrokerConditions
  /** Those of all nodes. */
  readonly watchings: Set<Watching>
  /** The log that there is now. */
  readonly inside: () => Log
}

export function openPort(node: string, ports: PortPorts): Port {
  const { trace, watchings, conditions } = ports
  const way = new Way({ ...ports, latencyMs: () => conditions.latencyMs() })
  const own = new Set<Watching>()
  const watch: Log["watch"] = (channel, listener) => {
    const watching = new Watching(channel, listener, { ...ports, way, holes: () => conditions.holes })
    return way.ask(undefined, async () => {
      for (const set of [watchings, own]) set.add(watching)
      await watching.follow(ports.inside())
      return () => {
        for (const set of [watchings, own]) set.delete(watching)
        watching.stop()
      }
    })
  }
  return {
    isReachable: () => way.isReachable,
    setReachable: (reachable) => {
      if (reachable === way.isReachable) return
      trace.add("broker", `${reachable ? "can" : "can't"} be reached from ${node}`)
      way.isReachable = reachable
      if (!reachable) return
      way.open()
      for (const watching of own) watching.notice()
    },
    abandon: () => {
      way.abandon()
      for (const watching of own) {
        watchings.delete(watching)
        watching.stop()
      }
    },
    log: { ...requests(node, way, ports), watch },
  }
}

/** What a node may ask of the log; what the log answers is written down on the way. */
function requests(node: string, way: Way, ports: PortPorts): Omit<Log, "watch"> {
  const { clock, truth, tally, inside } = ports
  const seen = <Answer extends { readonly head: Head }>(channel: string, answer: Answer): Answer => {
    truth.noteHead(channel, answer.head, clock.monotonic())
    return answer
  }
  const append = async (channel: string, operation: Operation, options: AppendOptions) => {
    const log = inside()
    const outcome = await log.append(channel, operation, options).catch((error: unknown) => {
      truth.refuse(options)
      throw error
    })
    // it may have been forgotten before
    truth.noteHead(channel, await log.head(channel), clock.monotonic())
    note(node, channel, operation, options, outcome, ports)
    return outcome
  }
  const handleRefusal = (options: AppendOptions) => {
    tally.add("appends refused")
    truth.refuse(options)
  }
  return {
    shared: ports.shared,
    append: (channel, operation, options) =>
      way.ask(
        `append ${channel}`,
        () => append(channel, operation, options),
        () => handleRefusal(options),
      ),
    head: (channel) =>
      way.ask(undefined, async () => seen(channel, { head: await inside().head(channel) }).head),
    read: (channel, range) =>
      way.ask(undefined, async () => seen(channel, await inside().read(channel, range))),
    readBack: (channel, range) =>
      way.ask(undefined, async () => seen(channel, await inside().readBack(channel, range))),
    find: (channel, collection, key) => way.ask(undefined, () => inside().find(channel, collection, key)),
    offsetOfLast: (channel, collection, count) =>
      way.ask(undefined, () => inside().offsetOfLast(channel, collection, count)),
    trim: (channel, retention, nowMs) =>
      way.ask(undefined, () => {
        truth.noteTime(nowMs, clock.monotonic())
        return inside().trim(channel, retention, nowMs)
      }),
    close: async () => {},
  }
}

function note(
  node: string,
  channel: string,
  operation: Operation,
  options: AppendOptions,
  outcome: Outcome,
  { clock, truth, trace, tally, database }: PortPorts,
): void {
  const { status, position } = outcome
  const { collection } = operation
  const id = idOf(options)
  const what = `${operation.operation} ${collection} ${operation.key ?? ""} ${id ?? ""}`
  trace.add(node, `${status} in ${channel}: ${what}: ${position.epoch}#${position.offset}`)
  truth.add(channel, operation, options, outcome, { nowMs: clock.monotonic(), clockMs: clock.now() })
  if (status === "duplicate") tally.add("appends found again")
  if (status !== "appended") return
  tally.add("entries")
  if (collection === EVENTS) database.add(channel, id as string)
}
