import { type ContestantName, contestants } from "./contestants/contestants.ts"
import { MESSAGE_BYTES } from "./contestants/message.ts"
import { type Options, readOptions } from "./options.ts"
import { type Bout, bout } from "./process/bout.ts"
import type { Turns } from "./process/commands.ts"
import { checkOpenFiles } from "./process/open-files.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { rounded, roundedSpread, type Spread, spreadOf } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"

/** How many messages the server publishes in one turn of the event loop. */
const workloads = [
  { name: "one at a time", messagesPerTurn: 1 },
  { name: "16 in one turn", messagesPerTurn: 16 },
] as const
type Workload = (typeof workloads)[number]["name"]

/** Those whom the others are compared with. */
const references = ["socket.io", "ws"] as const satisfies ContestantName[]

/** What one phase of one round came to. */
interface Sample {
  readonly serverCpuUs: number
  readonly loadCpuUs: number
  readonly deliveriesPerSecond: number
  readonly serverBusy: number
  readonly loadBusy: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** A line of the results. CPU is in µs per delivered message. */
interface Row {
  readonly workload: Workload
  readonly contestant: ContestantName
  readonly serverCpuUs: Spread
  readonly loadCpuUs: Spread
  readonly deliveriesPerSecond: Spread
  /** Shares of one core. */
  readonly serverBusy: Spread
  readonly loadBusy: Spread
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  /** How many times less server CPU than the reference: the quotient of the medians. */
  readonly timesLessCpuThan: Readonly<Partial<Record<(typeof references)[number], number>>>
}

/** One server, many subscribers: what it costs to deliver one message to one of them. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, "bench/results/fanout.json", {
    subscribers: [1000],
    rounds: [5],
    seconds: [2],
  })
  const [subscribers = 0, rounds = 0, seconds = 0] = Object.values(options.numbers).map(([first]) => first)
  checkOpenFiles(subscribers)
  const samples = await measure(options, { subscribers, rounds, seconds })
  const rows = summarize(options.contestants, samples)
  print(rows)
  const settings = { subscribers, messageBytes: MESSAGE_BYTES, rounds, secondsPerPhase: seconds }
  if (options.out !== undefined) writeResults(options.out, "fanout", settings, rows)
}

interface Scale {
  readonly subscribers: number
  readonly rounds: number
  readonly seconds: number
}

type Samples = Map<`${Workload}/${ContestantName}`, Sample[]>

/** The contestants take turns, so that what else the machine does in these minutes falls on all of them. */
async function measure(options: Options<string>, { subscribers, rounds, seconds }: Scale): Promise<Samples> {
  const samples: Samples = new Map()
  const progress = new Progress(rounds * options.contestants.length)
  const serverOptions =
    options.profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${options.profile}`]
  for (let round = 1; round <= rounds; round++) {
    for (const contestant of options.contestants) {
      progress.step(`round ${round}: ${contestants[contestant].title}`)
      await bout(contestant, serverOptions, async (bout) => {
        await bout.subscribe(subscribers, true)
        for (const { name, messagesPerTurn } of workloads) {
          await phase(bout, subscribers, { messagesPerTurn, durationMs: seconds * 500 })
          const sample = await phase(bout, subscribers, { messagesPerTurn, durationMs: seconds * 1000 })
          const key = `${name}/${contestant}` as const
          samples.set(key, [...(samples.get(key) ?? []), sample])
        }
      })
    }
  }
  progress.end()
  return samples
}

async function phase({ server, load }: Bout, subscribers: number, turns: Turns): Promise<Sample> {
  await load.ask("begin", turns.messagesPerTurn)
  const published = await server
    .ask("publish", turns, turns.durationMs + 30_000)
    .catch(async (error: Error) => {
      const { fewest, most } = await load.ask("end", new Float64Array())
      throw new Error(`${error.message}; the subscribers have received ${fewest} to ${most} messages`)
    })
  const messages = published.publishedUs.length
  const delivered = await load.ask("end", published.publishedUs)
  if (delivered.fewest !== messages || delivered.most !== messages) {
    throw new Error(`of ${messages} messages, subscribers received ${delivered.fewest} to ${delivered.most}`)
  }
  const deliveries = messages * subscribers
  return {
    serverCpuUs: published.cpuUs / deliveries,
    loadCpuUs: delivered.cpuUs / deliveries,
    deliveriesPerSecond: (deliveries / published.elapsedUs) * 1e6,
    serverBusy: published.cpuUs / published.elapsedUs,
    loadBusy: delivered.cpuUs / published.elapsedUs,
    p50Ms: delivered.latencyMs.p50,
    p99Ms: delivered.latencyMs.p99,
  }
}

function summarize(names: readonly ContestantName[], samples: Samples): Row[] {
  return workloads.flatMap(({ name: workload }) => {
    const spread = (contestant: ContestantName, figure: keyof Sample) =>
      spreadOf((samples.get(`${workload}/${contestant}`) ?? []).map((sample) => sample[figure]))
    const cpu = (contestant: ContestantName) => spread(contestant, "serverCpuUs").median
    return names.map((contestant): Row => {
      const figure = (name: keyof Sample) => roundedSpread(spread(contestant, name))
      return {
        workload,
        contestant,
        serverCpuUs: figure("serverCpuUs"),
        loadCpuUs: figure("loadCpuUs"),
        deliveriesPerSecond: figure("deliveriesPerSecond"),
        serverBusy: figure("serverBusy"),
        loadBusy: figure("loadBusy"),
        p50Ms: figure("p50Ms"),
        p99Ms: figure("p99Ms"),
        timesLessCpuThan: Object.fromEntries(
          references
            .filter((reference) => names.includes(reference))
            .map((reference) => [reference, rounded(cpu(reference) / cpu(contestant))]),
        ),
      }
    })
  })
}

function print(rows: readonly Row[]): void {
  for (const { name } of workloads) {
    const lines = rows
      .filter(({ workload }) => workload === name)
      .map((row) => [
        contestants[row.contestant].title,
        number(row.serverCpuUs.median),
        `${number(row.serverCpuUs.min)} to ${number(row.serverCpuUs.max)}`,
        ...references.map((reference) => number(row.timesLessCpuThan[reference])),
        number(row.deliveriesPerSecond.median),
        number(row.p50Ms.median),
        number(row.p99Ms.median),
        number(row.loadCpuUs.median),
        `${number(row.serverBusy.median * 100)} / ${number(row.loadBusy.median * 100)}`,
      ])
    console.log(`\n${name}\n\n${table(HEAD, lines)}`)
  }
}

const HEAD = [
  "server",
  "CPU µs",
  "spread",
  "× less than Socket.IO",
  "× less than ws",
  "deliveries/s",
  "p50 ms",
  "p99 ms",
  "load CPU µs",
  "busy % server / load",
]
