import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ContestantName } from "./contestants/contestants.ts"
import { readOptions } from "./options.ts"
import { Worker } from "./process/worker.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { roundedSpread, type Spread, spreadOf } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"
import type { Holding, ServerName, StalledLoadCommands, StalledServerCommands } from "./stalled/commands.ts"
import { STALLED_MESSAGE_BYTES } from "./stalled/message.ts"

const READERS = 10
const MESSAGES_PER_TURN = 16
/** Before anything is measured: code is compiled, buffers have their size, and the memory log is full. */
const WARM_UP_MESSAGES = 4_000

const contenders: readonly {
  readonly server: ServerName
  readonly title: string
  readonly contestant: ContestantName
}[] = [
  { server: "holdfast-memory", title: "Holdfast, memory log, keeps 1,000", contestant: "holdfast-json" },
  { server: "holdfast-lmdb", title: "Holdfast, LMDB log, keeps all", contestant: "holdfast-json" },
  { server: "ws", title: "ws, send in a loop", contestant: "ws" },
  { server: "socket.io", title: "Socket.IO, io.emit", contestant: "socket.io" },
]

/** What one round came to. MB are 1,000,000 bytes of the server's memory. */
interface Sample {
  /** By how much it grew, garbage collected, while all read, and then while one did not. */
  readonly grownAllReadMb: number
  readonly grownOneStalledMb: number
  /** By how much what is in use grew, in the heap and in buffers: without the reserves of the allocators. */
  readonly inUseAllReadMb: number
  readonly inUseOneStalledMb: number
  /** The most it held while one did not read, beyond the most while all did. */
  readonly peakDifferenceMb: number
  /** Of those who read. */
  readonly allReadP50Ms: number
  readonly allReadP99Ms: number
  readonly oneStalledP50Ms: number
  readonly oneStalledP99Ms: number
  /** Of the server, in µs for each delivered message. */
  readonly allReadCpuUs: number
  readonly oneStalledCpuUs: number
  /** What the stalled one was given when it read again, how many it was told it has missed, and how long that took. */
  readonly wokenMessages: number
  readonly wokenGap: number
  readonly wokenMs: number
}

/** A line of the results. */
interface Row extends Readonly<Record<keyof Sample, Spread>> {
  readonly server: ServerName
}

/** One subscriber stops reading at its socket while others are published to: what it costs the server, and the others. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, "bench/results/stalled.json", { messages: [50_000], rounds: [3] })
  const [messages = 0, rounds = 0] = Object.values(options.numbers).map(([first]) => first)
  const wanted = contenders.filter(({ contestant }) => options.contestants.includes(contestant))
  const progress = new Progress(rounds * wanted.length)
  const samples = new Map<ServerName, Sample[]>()
  for (let round = 1; round <= rounds; round++) {
    for (const { title, server, contestant } of wanted) {
      progress.step(`round ${round}: ${title}`)
      const sample = await sampleInFolder(server, contestant, messages)
      samples.set(server, [...(samples.get(server) ?? []), sample])
    }
  }
  progress.end()
  const rows = [...samples].map(([server, each]) => rowOf(server, each))
  print(rows)
  const settings = { messages, messageBytes: STALLED_MESSAGE_BYTES, readers: READERS, rounds }
  if (options.out !== undefined) writeResults(options.out, "stalled", settings, rows)
}

function rowOf(server: ServerName, samples: readonly Sample[]): Row {
  const names = Object.keys(samples[0] ?? {}) as (keyof Sample)[]
  const figures = names.map((name) => [name, roundedSpread(spreadOf(samples.map((sample) => sample[name])))])
  return { server, ...(Object.fromEntries(figures) as Record<keyof Sample, Spread>) }
}

async function sampleInFolder(
  server: ServerName,
  contestant: ContestantName,
  messages: number,
): Promise<Sample> {
  const folder = mkdtempSync(join(tmpdir(), "bench-stalled-"))
  try {
    return await measure(server, contestant, folder, messages)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Scene {
  readonly server: Worker<StalledServerCommands>
  readonly load: Worker<StalledLoadCommands>
}

async function measure(
  name: ServerName,
  contestant: ContestantName,
  folder: string,
  messages: number,
): Promise<Sample> {
  const server = new Worker<StalledServerCommands>("../stalled/server.ts", ["--expose-gc"])
  const load = new Worker<StalledLoadCommands>("../stalled/load.ts")
  try {
    const ports = await server.ask("start", { server: name, folder })
    await load.ask("subscribe", { ...ports, contestant, readers: READERS })
    const { messages: warmUp } = await phase({ server, load }, Math.min(WARM_UP_MESSAGES, messages))
    const atFirst = await server.ask("memory", undefined)
    const allRead = await phase({ server, load }, messages)
    const between = await server.ask("memory", undefined)
    await load.ask("stall", { ...ports, contestant })
    const oneStalled = await phase({ server, load }, messages)
    const atLast = await server.ask("memory", undefined)
    const total = warmUp + allRead.messages + oneStalled.messages
    const woken = await load.ask("wake", total - 1, 300_000)
    if (woken.messages + woken.gap !== oneStalled.messages) {
      throw new Error(
        `the stalled one received ${woken.messages} messages, and was told it missed ${woken.gap}`,
      )
    }
    return {
      grownAllReadMb: (between.anonymous - atFirst.anonymous) / 1e6,
      grownOneStalledMb: (atLast.anonymous - between.anonymous) / 1e6,
      inUseAllReadMb: (inUse(between) - inUse(atFirst)) / 1e6,
      inUseOneStalledMb: (inUse(atLast) - inUse(between)) / 1e6,
      peakDifferenceMb: (oneStalled.peakBytes - allRead.peakBytes) / 1e6,
      allReadP50Ms: allRead.p50Ms,
      allReadP99Ms: allRead.p99Ms,
      oneStalledP50Ms: oneStalled.p50Ms,
      oneStalledP99Ms: oneStalled.p99Ms,
      allReadCpuUs: allRead.cpuUs,
      oneStalledCpuUs: oneStalled.cpuUs,
      wokenMessages: woken.messages,
      wokenGap: woken.gap,
      wokenMs: woken.elapsedMs,
    }
  } finally {
    await load.stop()
    await server.stop()
  }
}

function inUse({ heapUsed, external }: Holding): number {
  return heapUsed + external
}

async function phase({ server, load }: Scene, wanted: number) {
  await load.ask("begin", MESSAGES_PER_TURN)
  const turns = { messages: wanted, messagesPerTurn: MESSAGES_PER_TURN }
  const { publishedUs, cpuUs, peakBytes } = await server.ask("publish", turns, 600_000)
  const messages = publishedUs.length
  const { fewest, most, latencyMs } = await load.ask("end", publishedUs)
  if (fewest !== messages || most !== messages) {
    throw new Error(`of ${messages} messages, those who read received ${fewest} to ${most}`)
  }
  const { p50: p50Ms, p99: p99Ms } = latencyMs
  return { messages, peakBytes, p50Ms, p99Ms, cpuUs: cpuUs / (messages * READERS) }
}

function print(rows: readonly Row[]): void {
  const lines = rows.map((row) => [
    contenders.find(({ server }) => server === row.server)?.title ?? row.server,
    inWords(row.grownAllReadMb),
    inWords(row.grownOneStalledMb),
    inWords(row.inUseOneStalledMb),
    inWords(row.peakDifferenceMb),
    number(row.allReadP50Ms.median),
    number(row.oneStalledP50Ms.median),
    inWords(row.allReadP99Ms),
    inWords(row.oneStalledP99Ms),
    number(row.wokenMessages.median),
    number(row.wokenGap.median),
  ])
  console.log(`\n${table(HEAD, lines)}`)
}

function inWords({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)} to ${number(max)})`
}

const HEAD = [
  "server",
  "MB grown, all read",
  "MB grown, one stalled",
  "of that in use",
  "peak, MB more",
  "p50 ms, all read",
  "p50 ms, one stalled",
  "p99 ms, all read",
  "p99 ms, one stalled",
  "given when woken",
  "told as missed",
]
