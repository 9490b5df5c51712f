import { mkdirSync } from "node:fs"
import { type ContestantName, contestants } from "./contestants/contestants.ts"
import { type Options, readOptions } from "./options.ts"
import { bout } from "./process/bout.ts"
import type { MemoryUse } from "./process/commands.ts"
import { checkOpenFiles } from "./process/open-files.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { rounded, roundedSpread, type Spread, spreadOf } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"

/** Connections that are there before the first look: what a server builds up once is none of its connections' memory. */
const WARM_UP_CONNECTIONS = 100

/** Those whom the others are compared with. */
const references = ["socket.io", "ws"] as const satisfies ContestantName[]

/** Bytes for each connection. */
interface Sample {
  readonly rss: number
  readonly heapUsed: number
  readonly external: number
}

interface Row {
  readonly connections: number
  readonly contestant: ContestantName
  readonly rssBytes: Spread
  readonly heapBytes: Spread
  readonly externalBytes: Spread
  /** How many times less resident memory than the reference: the quotient of the medians. */
  readonly timesLessThan: Readonly<Partial<Record<(typeof references)[number], number>>>
}

/** What a server keeps in memory for a connection that has one subscription and nothing to do. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, "bench/results/memory.json", { connections: [1000, 10_000], rounds: [3] })
  const { connections } = options.numbers
  const rounds = options.numbers.rounds[0] ?? 1
  checkOpenFiles(Math.max(...connections) + WARM_UP_CONNECTIONS)
  const samples = await measure(options, connections, rounds)
  const rows = connections.flatMap((count) => summarize(options.contestants, count, samples))
  print(rows)
  const settings = { warmUpConnections: WARM_UP_CONNECTIONS, rounds }
  if (options.out !== undefined) writeResults(options.out, "memory", settings, rows)
}

type Samples = Map<`${number}/${ContestantName}`, Sample[]>

async function measure(
  options: Options<string>,
  connections: readonly number[],
  rounds: number,
): Promise<Samples> {
  const samples: Samples = new Map()
  const progress = new Progress(rounds * connections.length * options.contestants.length)
  for (let round = 1; round <= rounds; round++) {
    for (const count of connections) {
      for (const contestant of options.contestants) {
        progress.step(`round ${round}: ${contestants[contestant].title}, ${count} connections`)
        const key = `${count}/${contestant}` as const
        samples.set(key, [...(samples.get(key) ?? []), await sample(contestant, count, options.profile)])
      }
    }
  }
  progress.end()
  return samples
}

function sample(
  contestant: ContestantName,
  connections: number,
  profile: string | undefined,
): Promise<Sample> {
  return bout(contestant, ["--expose-gc"], async ({ server, subscribe }) => {
    await subscribe(WARM_UP_CONNECTIONS)
    const before = await server.ask("memory", undefined)
    await subscribe(connections)
    const after = await server.ask("memory", undefined)
    if (profile !== undefined) {
      mkdirSync(profile, { recursive: true })
      console.error(await server.ask("heapSnapshot", profile, 300_000))
    }
    const each = (figure: keyof MemoryUse) => (after[figure] - before[figure]) / connections
    return { rss: each("rss"), heapUsed: each("heapUsed"), external: each("external") }
  })
}

function summarize(names: readonly ContestantName[], connections: number, samples: Samples): Row[] {
  const spread = (contestant: ContestantName, figure: keyof Sample) =>
    spreadOf((samples.get(`${connections}/${contestant}`) ?? []).map((sample) => sample[figure]))
  const rss = (contestant: ContestantName) => spread(contestant, "rss").median
  return names.map((contestant) => ({
    connections,
    contestant,
    rssBytes: roundedSpread(spread(contestant, "rss")),
    heapBytes: roundedSpread(spread(contestant, "heapUsed")),
    externalBytes: roundedSpread(spread(contestant, "external")),
    timesLessThan: Object.fromEntries(
      references
        .filter((reference) => names.includes(reference))
        .map((reference) => [reference, rounded(rss(reference) / rss(contestant))]),
    ),
  }))
}

function print(rows: readonly Row[]): void {
  const kb = (bytes: number) => number(bytes / 1000)
  const lines = rows.map((row) => [
    contestants[row.contestant].title,
    number(row.connections),
    kb(row.rssBytes.median),
    `${kb(row.rssBytes.min)} to ${kb(row.rssBytes.max)}`,
    ...references.map((reference) => number(row.timesLessThan[reference])),
    kb(row.heapBytes.median),
    kb(row.externalBytes.median),
  ])
  console.log(`\nkB for each idle connection\n\n${table(HEAD, lines)}`)
}

const HEAD = [
  "server",
  "connections",
  "resident",
  "spread",
  "× less than Socket.IO",
  "× less than ws",
  "heap",
  "external",
]
