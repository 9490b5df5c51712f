import { readOptions } from "./options.ts"
import { checkOpenFiles } from "./process/open-files.ts"
import { Worker } from "./process/worker.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { roundedSpread, type Spread, spreadOf } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"
import type { TransportLoadCommands, TransportName, TransportServerCommands } from "./transports/commands.ts"

const transports = ["websocket", "sse", "poll"] as const satisfies TransportName[]
/** How many clients have a channel in common. */
const CLIENTS_PER_CHANNEL = 10

interface Sample {
  /** Of the server, for each delivered message. */
  readonly cpuUs: number
  /** Of one core, while it lasted. */
  readonly corePercent: number
  readonly p50Ms: number
  readonly p99Ms: number
}

type Row = { readonly transport: TransportName } & Readonly<Record<keyof Sample, Spread>>

/** Clients that get a message a second each, by each of the transports: what that costs the server, and how long it takes. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, "bench/results/transports.json", {
    clients: [1000],
    rounds: [3],
    seconds: [10],
  })
  const [clients = 0, rounds = 0, seconds = 0] = Object.values(options.numbers).map(([n]) => n)
  checkOpenFiles(2 * clients)
  const samples = new Map<TransportName, Sample[]>()
  const progress = new Progress(rounds * transports.length)
  for (let round = 1; round <= rounds; round++) {
    for (const transport of transports) {
      progress.step(`round ${round}: ${transport}`)
      samples.set(transport, [...(samples.get(transport) ?? []), await measure(transport, clients, seconds)])
    }
  }
  progress.end()
  const rows = transports.map((transport): Row => {
    const of = (name: keyof Sample) =>
      roundedSpread(spreadOf((samples.get(transport) ?? []).map((sample) => sample[name])))
    return {
      transport,
      cpuUs: of("cpuUs"),
      corePercent: of("corePercent"),
      p50Ms: of("p50Ms"),
      p99Ms: of("p99Ms"),
    }
  })
  const titles = ["", "CPU µs per message", "% of a core", "p50 ms", "p99 ms"]
  const lines = rows.map(({ transport, cpuUs, corePercent, p50Ms, p99Ms }) => [
    transport,
    ...[cpuUs, corePercent, p50Ms, p99Ms].map(
      ({ median, min, max }) => `${number(median)} (${number(min)} to ${number(max)})`,
    ),
  ])
  console.log(`\n${table(titles, lines)}`)
  const settings = {
    clients,
    clientsPerChannel: CLIENTS_PER_CHANNEL,
    messagesPerClientAndSecond: 1,
    seconds,
    rounds,
  }
  if (options.out !== undefined) writeResults(options.out, "transports", settings, rows)
}

async function measure(transport: TransportName, clients: number, seconds: number): Promise<Sample> {
  const channels = Math.max(1, Math.ceil(clients / CLIENTS_PER_CHANNEL))
  const server = new Worker<TransportServerCommands>("../transports/server.ts")
  const load = new Worker<TransportLoadCommands>("../transports/load.ts")
  try {
    const { port } = await server.ask("start", undefined)
    await load.ask("connect", { port, transport, clients, channels })
    await server.ask("publish", { channels, seconds })
    const delaysMs = (await load.ask("take", { count: clients * seconds })).sort()
    const { elapsedUs, cpuUs } = await server.ask("spent", undefined)
    if (delaysMs.length !== clients * seconds) {
      throw new Error(`${delaysMs.length} of ${clients * seconds} messages came by ${transport}`)
    }
    const at = (part: number) => delaysMs[Math.floor(part * (delaysMs.length - 1))] ?? 0
    return {
      cpuUs: cpuUs / delaysMs.length,
      corePercent: (100 * cpuUs) / elapsedUs,
      p50Ms: at(0.5),
      p99Ms: at(0.99),
    }
  } finally {
    await load.stop()
    await server.stop()
  }
}
