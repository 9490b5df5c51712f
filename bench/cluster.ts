import { findProgram, howToGet } from "../scripts/system-programs.mjs"
import type { ContenderName } from "./cluster/commands.ts"
import { type Sample, Scene } from "./cluster/sample.ts"
import { MESSAGE_BYTES } from "./contestants/message.ts"
import { type Options, readOptions, UsageError } from "./options.ts"
import { checkOpenFiles } from "./process/open-files.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { rounded, roundedSpread, type Spread, spreadOf } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"

/** Those whom the others are compared with come first, for what they carry is what the others are given as well. */
const contenders: readonly { readonly name: ContenderName; readonly title: string }[] = [
  { name: "socket.io", title: "Socket.IO, Redis Streams adapter" },
  { name: "holdfast-json", title: "Holdfast, JSON" },
  { name: "holdfast-msgpack", title: "Holdfast, MessagePack" },
]
const REFERENCE = "socket.io"

const SIZES = [1, 2]

/** How many messages a node publishes in one turn of the event loop. */
const MESSAGES_PER_TURN = 16

const workloads = [
  "one at a time",
  "16 in one turn",
  "half of what it carries",
  "half of what Socket.IO carries",
] as const
type Workload = (typeof workloads)[number]

/** A line of the results. CPU is in µs. */
interface Row extends Readonly<Record<keyof Sample, Spread>> {
  readonly workload: Workload
  readonly contestant: ContenderName
  readonly nodes: number
  /** How many times more deliveries per CPU second than Socket.IO: the quotient of the medians. */
  readonly timesMoreThanSocketIo?: number
}

/** One channel on one Redis, with one and with two nodes: what a delivery costs, and how long it takes. */
export async function run(args: readonly string[]): Promise<void> {
  if (findProgram("redis-server") === undefined) {
    throw new UsageError(`redis-server is missing: ${howToGet("redis-server")}`)
  }
  const options = readOptions(args, "bench/results/cluster.json", {
    subscribers: [1000],
    rounds: [5],
    seconds: [2],
  })
  const [subscribers = 0, rounds = 0, seconds = 0] = Object.values(options.numbers).map(([first]) => first)
  checkOpenFiles(subscribers)
  const rows = summarize(await measure(options, { subscribers, rounds, seconds }))
  print(rows)
  const settings = { subscribers, messageBytes: MESSAGE_BYTES, rounds, secondsPerPhase: seconds }
  if (options.out !== undefined) writeResults(options.out, "cluster", settings, rows)
}

interface Extent {
  readonly subscribers: number
  readonly rounds: number
  readonly seconds: number
}

type Key = `${Workload}/${number}/${ContenderName}`
type Samples = Map<Key, Sample[]>

/** The contenders take turns, so that what else the machine does in these minutes falls on all of them. */
async function measure(options: Options<string>, { subscribers, rounds, seconds }: Extent): Promise<Samples> {
  const samples: Samples = new Map()
  const wanted = contenders.filter(({ name }) => options.contestants.includes(name))
  const progress = new Progress(rounds * SIZES.length * wanted.length)
  const durationMs = seconds * 1000
  for (let round = 1; round <= rounds; round++) {
    for (const nodes of SIZES) {
      let socketIoPerSecond: number | undefined
      for (const { name, title } of wanted) {
        progress.step(`round ${round}, nodes: ${nodes}: ${title}`)
        const keep = (workload: Workload, sample: Sample) => {
          const key: Key = `${workload}/${nodes}/${name}`
          samples.set(key, [...(samples.get(key) ?? []), sample])
          return sample
        }
        await Scene.with(name, { nodes, subscribers, profile: options.profile }, async (scene) => {
          await scene.asFastAsPossible(1, durationMs / 2)
          keep("one at a time", await scene.asFastAsPossible(1, durationMs))
          await scene.asFastAsPossible(MESSAGES_PER_TURN, durationMs / 2)
          const fast = keep("16 in one turn", await scene.asFastAsPossible(MESSAGES_PER_TURN, durationMs))
          const half = (carried: number) => scene.atRate(carried / 2, MESSAGES_PER_TURN, durationMs)
          keep("half of what it carries", await half(fast.publishesPerSecond))
          if (name === REFERENCE) socketIoPerSecond = fast.publishesPerSecond
          else if (socketIoPerSecond !== undefined) {
            keep("half of what Socket.IO carries", await half(socketIoPerSecond))
          }
        })
      }
    }
  }
  progress.end()
  return samples
}

function summarize(samples: Samples): Row[] {
  return workloads.flatMap((workload) =>
    SIZES.flatMap((nodes) => {
      const spread = (contestant: ContenderName, figure: keyof Sample) =>
        spreadOf((samples.get(`${workload}/${nodes}/${contestant}`) ?? []).map((sample) => sample[figure]))
      const present = contenders
        .map(({ name }) => name)
        .filter((name) => samples.has(`${workload}/${nodes}/${name}`))
      return present.map((contestant): Row => {
        const [first] = samples.get(`${workload}/${nodes}/${contestant}`) ?? []
        const names = Object.keys(first ?? {}) as (keyof Sample)[]
        const figures = names.map((name) => [name, roundedSpread(spread(contestant, name))])
        const perCpuSecond = (name: ContenderName) => spread(name, "deliveriesPerCpuSecond").median
        return {
          workload,
          nodes,
          contestant,
          ...(Object.fromEntries(figures) as Record<keyof Sample, Spread>),
          ...(present.includes(REFERENCE) && {
            timesMoreThanSocketIo: rounded(perCpuSecond(contestant) / perCpuSecond(REFERENCE)),
          }),
        }
      })
    }),
  )
}

function print(rows: readonly Row[]): void {
  for (const workload of workloads) {
    const lines = rows
      .filter((row) => row.workload === workload)
      .map((row) => [
        contenders.find(({ name }) => name === row.contestant)?.title ?? "",
        number(row.nodes),
        number(row.deliveriesPerCpuSecond.median),
        number(row.timesMoreThanSocketIo),
        number(row.nodesCpuUs.median),
        number(row.engineCpuUs.median),
        number(row.publishesPerSecond.median),
        number(row.deliveriesPerSecond.median),
        inWords(row.p50Ms),
        inWords(row.p99Ms),
      ])
    console.log(`\n${workload}\n\n${table(HEAD, lines)}`)
  }
}

function inWords({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)} to ${number(max)})`
}

const HEAD = [
  "nodes of",
  "nodes",
  "deliveries per CPU second",
  "× Socket.IO",
  "node CPU µs per delivery",
  "engine CPU µs per publish",
  "publishes/s",
  "deliveries/s",
  "p50 ms",
  "p99 ms",
]
