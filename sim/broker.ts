import { HoldfastError } from "holdfast/client"
import type { Batch, Log, Seeded, VirtualClock } from "holdfast/testing"
import type { Database } from "./database.ts"
import type { Tally } from "./tally.ts"
import type { Trace } from "./trace.ts"
import { idOf, type Truth } from "./truth.ts"

/** How badly the way to the log works. */
export interface BrokerConditions {
  latencyMs: () => number
  /** How likely it is that a notification is lost. */
  holes: number
}

/** One node's way to the log. */
export interface Port {
  readonly log: Log
  readonly isReachable: () => boolean
  /** While it is not, requests are refused, notifications lost, and answers wait. */
  readonly setReachable: (reachable: boolean) => void
  /** The node is gone: what it had asked for and has not arrived may be lost. */
  readonly abandon: () => void
}

/** A log that several nodes share over a network that delays, loses notifications, and breaks. */
export interface Broker {
  readonly conditions: BrokerConditions
  readonly port: (node: string) => Port
  /** The log is lost, and begins anew. */
  readonly loseEverything: () => void
  /** The log itself, for the checker. */
  readonly inside: () => Log
}

interface BrokerPorts {
  readonly clock: VirtualClock
  readonly random: Seeded
  readonly truth: Truth
  readonly trace: Trace
  readonly tally: Tally
  readonly database: Database
  readonly makeLog: (epoch: string) => Log
  /** Whether several nodes append to it. */
  readonly shared: boolean
}

interface Watching {
  readonly channel: string
  readonly tell: (batch: Batch) => void
  /** Says where the log stands, so that whoever missed something finds out. */
  readonly notice: () => void
}

/** How long a node waits before it takes the log for unreachable, in ms. */
const REFUSAL_MS = 200

export function createBroker(ports: BrokerPorts): Broker {
  const { clock, random, truth, trace, tally } = ports
  const conditions: BrokerConditions = { latencyMs: () => 1, holes: 0 }
  const watchings = new Set<Watching>()
  let watched = new Set<string>()
  let lives = 0
  let log: Log
  const begin = () => {
    const epoch = `e${++lives}`
    truth.begin(epoch)
    trace.add("broker", `begins ${epoch}`)
    log = ports.makeLog(epoch)
    watched = new Set()
    for (const { channel } of watchings) follow(channel)
    for (const watching of watchings) watching.notice()
  }
  const follow = (channel: string) => {
    if (watched.has(channel)) return
    watched.add(channel)
    void log.watch(channel, (batch) => {
      for (const watching of [...watchings]) if (watching.channel === channel) watching.tell(batch)
    })
  }
  begin()

  const openPort = (node: string): Port => {
    let reachable = true
    let abandoned = false
    let lost = false
    let held: (() => void)[] = []
    const own = new Set<Watching>()
    const lastDueMs = new Map<string, number>()
    /** Runs `task` after a delay, behind what went before in `lane`. */
    const later = (lane: string | undefined, task: () => void) => {
      const now = clock.monotonic()
      let dueMs = now + conditions.latencyMs()
      if (lane !== undefined) {
        dueMs = Math.max(dueMs, lastDueMs.get(lane) ?? 0)
        lastDueMs.set(lane, dueMs)
      }
      clock.after(dueMs - now, task)
    }
    const answer = (task: () => void) =>
      later(undefined, () => {
        if (reachable) task()
        else held.push(task)
      })
    const ask = <T>(lane: string | undefined, work: () => Promise<T>, handleRefusal = () => {}) =>
      new Promise<T>((resolve, reject) => {
        later(lane, () => {
          // what was already on its way when the node died arrives up to some point, as over any one line
          lost ||= abandoned && random.chance(0.5)
          if (lost) {
            tally.add("requests lost with their node")
            return
          }
          if (!reachable) {
            handleRefusal()
            clock.after(REFUSAL_MS, () => reject(new HoldfastError("log_unavailable")))
            return
          }
          work().then(
            (value) => answer(() => resolve(value)),
            (error: unknown) => answer(() => reject(error)),
          )
        })
      })

    const watch = async (channel: string, listener: (batch: Batch) => void): Promise<() => void> => {
      const lane = `watch ${random.uniqueId()}`
      let noticing = false
      const notice = () => {
        if (noticing) return
        noticing = true
        clock.after(random.between(50, 1_000), async () => {
          noticing = false
          if (!reachable) return
          const { epoch, top } = await log.head(channel)
          later(lane, () => listener({ epoch, after: top, entries: [] }))
        })
      }
      const watching: Watching = {
        channel,
        notice,
        tell: (batch) => {
          if (reachable && !random.chance(conditions.holes)) later(lane, () => listener(batch))
          else {
            tally.add("notifications lost")
            notice()
          }
        },
      }
      return ask(undefined, async () => {
        watchings.add(watching)
        own.add(watching)
        follow(channel)
        return () => {
          watchings.delete(watching)
          own.delete(watching)
        }
      })
    }

    return {
      isReachable: () => reachable,
      setReachable: (now) => {
        if (now === reachable) return
        reachable = now
        trace.add("broker", `${now ? "can" : "can't"} be reached from ${node}`)
        if (!now) return
        for (const task of held) later(undefined, task)
        held = []
        for (const watching of own) watching.notice()
      },
      abandon: () => {
        abandoned = true
        for (const watching of own) watchings.delete(watching)
      },
      log: {
        shared: ports.shared,
        append: (channel, draft, options) =>
          ask(
            `append ${channel}`,
            async () => {
              const appended = await log.append(channel, draft, options)
              const { epoch, offset } = appended.position
              const what = `${draft.kind} ${idOf(options) ?? draft.key} to ${channel}`
              trace.add(node, `${appended.duplicate ? "finds" : "appends"} ${what}: ${epoch}#${offset}`)
              truth.add(channel, draft, options, appended, clock.monotonic())
              tally.add(appended.duplicate ? "appends found again" : "entries")
              if (draft.kind === "event" && !appended.duplicate)
                ports.database.add(channel, idOf(options) as string)
              return appended
            },
            () => {
              tally.add("appends refused")
              truth.refuse(options)
            },
          ),
        head: (channel) => ask(undefined, () => log.head(channel)),
        read: (channel, range) => ask(undefined, () => log.read(channel, range)),
        offsetOfLast: (channel, count) => ask(undefined, () => log.offsetOfLast(channel, count)),
        watch,
        trim: (channel, keep, nowMs) =>
          ask(undefined, () => {
            truth.noteTime(channel, nowMs)
            return log.trim(channel, keep, nowMs)
          }),
        close: async () => {},
      },
    }
  }
  return { conditions, port: openPort, loseEverything: begin, inside: () => log }
}
