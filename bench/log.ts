import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { lmdbLog } from "holdfast/lmdb"
import { type AppendOptions, type Log, memoryLog, type Operation } from "holdfast/server"
import { readOptions } from "./options.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { rounded, roundedSpread, type Spread, spreadOf } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"

/** A log to be measured, in a folder if it needs one. */
const logs: Readonly<Record<string, (folder: string) => Log>> = {
  memory: () => memoryLog(),
  lmdb: (folder) => lmdbLog(folder),
  "lmdb, sync": (folder) => lmdbLog(folder, { sync: true }),
}

const BODY = new Uint8Array(200).fill(7)

interface Throughput {
  readonly log: string
  readonly channels: number
  readonly appendsPerSecond: Spread
  /** Of all threads of the process, with what the benchmark itself does. */
  readonly cpuUs: Spread
}

interface Latency {
  readonly log: string
  readonly p50Ms: Spread
  readonly p99Ms: Spread
  readonly maxMs: Spread
}

interface Opening {
  readonly entries: number
  readonly channels: number
  readonly fileBytes: number
  readonly openMs: Spread
  readonly firstReadMs: Spread
  readonly firstAppendMs: Spread
}

/** What the logs take for an append, alone and with many publishers at once, and how long a large one takes to open. */
export async function run(args: readonly string[]): Promise<void> {
  const { numbers, out } = readOptions(args, "bench/results/log.json", {
    rounds: [5],
    channels: [1, 100, 1_000, 10_000],
    appends: [200_000],
    publishers: [1_000],
    entries: [1_000_000],
  })
  const [rounds, appends, publishers, entries] = [
    numbers.rounds[0] ?? 1,
    numbers.appends[0] ?? 1,
    numbers.publishers[0] ?? 1,
    numbers.entries[0] ?? 1,
  ]
  const names = Object.keys(logs)
  const progress = new Progress(names.length * (numbers.channels.length + 1) * rounds + 1)
  const throughputs: Throughput[] = []
  for (const channels of numbers.channels) {
    throughputs.push(...(await measureThroughput({ names, channels, appends, publishers, rounds, progress })))
  }
  const latencies = await measureLatency(names, rounds, progress)
  progress.step(`opening ${entries} entries`)
  const opening = await measureOpening(entries, rounds)
  progress.end()
  print(throughputs, latencies, opening)
  const settings = { bodyBytes: BODY.length, rounds, appends, publishers, latencyAppends: LATENCY_APPENDS }
  if (out !== undefined) writeResults(out, "log", settings, [...throughputs, ...latencies, opening])
}

interface Load {
  readonly names: readonly string[]
  readonly channels: number
  readonly appends: number
  readonly publishers: number
  readonly rounds: number
  readonly progress: Progress
}

async function measureThroughput(load: Load): Promise<Throughput[]> {
  const samples = new Map<string, { readonly perSecond: number; readonly cpuUs: number }[]>()
  for (let round = 1; round <= load.rounds; round++) {
    for (const name of load.names) {
      load.progress.step(`round ${round}: ${name}, ${load.channels} channels`)
      const sample = await withLog(name, (log) => publishAll(log, load))
      samples.set(name, [...(samples.get(name) ?? []), sample])
    }
  }
  return [...samples].map(([log, list]) => ({
    log,
    channels: load.channels,
    appendsPerSecond: roundedSpread(spreadOf(list.map(({ perSecond }) => perSecond))),
    cpuUs: roundedSpread(spreadOf(list.map(({ cpuUs }) => cpuUs))),
  }))
}

/** Publishers that each wait for their append before they make the next one, as clients do. */
async function publishAll(log: Log, { channels, appends, publishers }: Load) {
  let count = 0
  const publish = async () => {
    while (count < appends) {
      const number = count++
      // A stride that is prime to the number of channels: neighbours in time are no neighbours in the file.
      await log.append(`room/${(number * 7919) % channels}`, operation(), options(`publisher-key-${number}`))
    }
  }
  const [startMs, cpu] = [performance.now(), process.cpuUsage()]
  await Promise.all(Array.from({ length: publishers }, publish))
  const [ms, { user, system }] = [performance.now() - startMs, process.cpuUsage(cpu)]
  return { perSecond: (appends / ms) * 1_000, cpuUs: (user + system) / appends }
}

const LATENCY_APPENDS = 1_000

async function measureLatency(
  names: readonly string[],
  rounds: number,
  progress: Progress,
): Promise<Latency[]> {
  const latencies: Latency[] = []
  for (const name of names) {
    const samples: number[][] = []
    for (let round = 1; round <= rounds; round++) {
      progress.step(`round ${round}: ${name}, one at a time`)
      samples.push(await withLog(name, publishSeldom))
    }
    const spread = (share: number) =>
      roundedSpread(spreadOf(samples.map((sorted) => sorted[Math.floor(share * (sorted.length - 1))] ?? 0)))
    latencies.push({ log: name, p50Ms: spread(0.5), p99Ms: spread(0.99), maxMs: spread(1) })
  }
  return latencies
}

/** One publisher, with a pause between its appends. Returns how long each took, sorted. */
async function publishSeldom(log: Log): Promise<number[]> {
  const times: number[] = []
  for (let count = 0; count < LATENCY_APPENDS; count++) {
    const startMs = performance.now()
    await log.append("room/1", operation(), options(`publisher-key-${count}`))
    times.push(performance.now() - startMs)
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  return times.sort((a, b) => a - b)
}

async function measureOpening(entries: number, rounds: number): Promise<Opening> {
  return await withFolder(async (folder) => {
    const channels = Math.max(1, Math.round(entries / 100))
    const log = lmdbLog(folder)
    await publishAll(log, {
      names: [],
      channels,
      appends: entries,
      publishers: 10_000,
      rounds,
      progress: silent,
    })
    await log.close()
    const samples: { readonly open: number; readonly read: number; readonly append: number }[] = []
    for (let round = 0; round < rounds; round++) {
      const startMs = performance.now()
      const again = lmdbLog(folder)
      const openMs = performance.now()
      const range = { after: 0, through: 1e9, select: "all", entriesMax: 500, bytesMax: 1e6 } as const
      await again.read(`room/${round}`, range)
      const readMs = performance.now()
      await again.append(`room/${round}`, operation(), options(`another-key-${round}`))
      samples.push({ open: openMs - startMs, read: readMs - openMs, append: performance.now() - readMs })
      await again.close()
    }
    const spread = (of: keyof (typeof samples)[number]) =>
      roundedSpread(spreadOf(samples.map((sample) => sample[of])))
    const { size: fileBytes } = statSync(join(folder, "data.mdb"))
    return {
      ...{ entries, channels, fileBytes },
      ...{ openMs: spread("open"), firstReadMs: spread("read"), firstAppendMs: spread("append") },
    }
  })
}

const silent = new Progress(0)

function operation(): Operation {
  return { operation: "append", collection: "events", key: "said", body: BODY, at: Date.now() }
}

/** As the hub asks for them: what a channel keeps unless it says otherwise, and a key per publish. */
function options(key: string): AppendOptions {
  return {
    retention: {
      entries: 1_000,
      forMs: Number.POSITIVE_INFINITY,
      bytes: 16 * 1024 * 1024,
      removalsForMs: 24 * 60 * 60_000,
    },
    dedupe: { key, fingerprint: "aaaaaaaaaaaaaaaaaaaaaa", windowMs: 5 * 60_000 },
  }
}

async function withLog<Result>(name: string, use: (log: Log) => Promise<Result>): Promise<Result> {
  return await withFolder(async (folder) => {
    const log = (logs[name] as (folder: string) => Log)(folder)
    try {
      return await use(log)
    } finally {
      await log.close()
    }
  })
}

async function withFolder<Result>(use: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-bench-"))
  try {
    return await use(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function print(throughputs: readonly Throughput[], latencies: readonly Latency[], opening: Opening): void {
  const spread = ({ min, max }: Spread) => `${number(min)} to ${number(max)}`
  const many = throughputs.map(({ log, channels, appendsPerSecond, cpuUs }) => [
    ...[log, number(channels), number(appendsPerSecond.median), spread(appendsPerSecond)],
    ...[number(cpuUs.median), number(rounded(1_000_000 / cpuUs.median))],
  ])
  const head = ["log", "channels", "appends/s", "spread", "CPU µs per append", "appends per core and s"]
  console.log(`\nMany publishers at once\n\n${table(head, many)}`)
  const single = latencies.map(({ log, p50Ms, p99Ms, maxMs }) => [
    ...[log, number(p50Ms.median), number(p99Ms.median), spread(p99Ms), number(maxMs.median)],
  ])
  console.log(`\nOne append at a time\n\n${table(["log", "p50 ms", "p99 ms", "spread", "max ms"], single)}`)
  const { entries, channels, fileBytes, openMs, firstReadMs, firstAppendMs } = opening
  const row = [number(entries), number(channels), number(fileBytes / 1e6)]
  const times = [openMs, firstReadMs, firstAppendMs].map(({ median }) => number(median))
  const titles = ["entries", "channels", "MB", "open ms", "first read ms", "first append ms"]
  console.log(`\nOpening an LMDB log\n\n${table(titles, [[...row, ...times]])}`)
}
