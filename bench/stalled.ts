import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ContestantName } from "./contestants/contestants.ts"
import { readOptions } from "./options.ts"
import { Worker } from "./process/worker.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { rounded } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"
import type { ServerName, StalledLoadCommands, StalledServerCommands } from "./stalled/commands.ts"
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

/** MB are 1,000,000 bytes of the server's memory. */
interface Row {
  readonly server: ServerName
  /** By how much it grew, garbage collected, while all read, and then while one did not. */
  readonly grownAllReadMb: number
  readonly grownOneStalledMb: number
  /** The most it held while one did not read, beyond the most while all did. */
  readonly peakDifferenceMb: number
  readonly allRead: Latency
  readonly oneStalled: Latency
  /** What the stalled one was given when it read again, and how many messages it was told it has missed. */
  readonly woken: { readonly messages: number; readonly gap: number; readonly elapsedMs: number }
}

/** Of those who read. */
interface Latency {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuUsPerDelivery: number
}

/** One subscriber stops reading at its socket while others are published to: what it costs the server, and the others. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, "bench/results/stalled.json", { messages: [50_000] })
  const messages = options.numbers.messages[0] ?? 0
  const wanted = contenders.filter(({ contestant }) => options.contestants.includes(contestant))
  const progress = new Progress(wanted.length)
  const rows: Row[] = []
  for (const { title, server, contestant } of wanted) {
    progress.step(title)
    const folder = mkdtempSync(join(tmpdir(), "bench-stalled-"))
    try {
      rows.push(await measure(server, contestant, folder, messages))
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  progress.end()
  print(rows)
  const settings = { messages, messageBytes: STALLED_MESSAGE_BYTES, readers: READERS }
  if (options.out !== undefined) writeResults(options.out, "stalled", settings, rows)
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
): Promise<Row> {
  const server = new Worker<StalledServerCommands>("../stalled/server.ts", ["--expose-gc"])
  const load = new Worker<StalledLoadCommands>("../stalled/load.ts")
  try {
    const ports = await server.ask("start", { server: name, folder })
    await load.ask("subscribe", { ...ports, contestant, readers: READERS })
    await phase({ server, load }, WARM_UP_MESSAGES)
    const atFirst = await server.ask("memory", undefined)
    const allRead = await phase({ server, load }, messages)
    const between = await server.ask("memory", undefined)
    await load.ask("stall", { ...ports, contestant })
    const oneStalled = await phase({ server, load }, messages)
    const atLast = await server.ask("memory", undefined)
    const total = WARM_UP_MESSAGES + allRead.messages + oneStalled.messages
    const { elapsedMs, ...woken } = await load.ask("wake", total - 1, 300_000)
    if (woken.messages + woken.gap !== oneStalled.messages) {
      throw new Error(
        `the stalled one received ${woken.messages} messages, and was told it missed ${woken.gap}`,
      )
    }
    const mb = (bytes: number) => rounded(bytes / 1e6)
    return {
      server: name,
      grownAllReadMb: mb(between.anonymous - atFirst.anonymous),
      grownOneStalledMb: mb(atLast.anonymous - between.anonymous),
      peakDifferenceMb: mb(oneStalled.peakBytes - allRead.peakBytes),
      allRead: allRead.latency,
      oneStalled: oneStalled.latency,
      woken: { ...woken, elapsedMs: rounded(elapsedMs) },
    }
  } finally {
    await load.stop()
    await server.stop()
  }
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
  const latency: Latency = {
    p50Ms: rounded(latencyMs.p50),
    p99Ms: rounded(latencyMs.p99),
    cpuUsPerDelivery: rounded(cpuUs / (messages * READERS)),
  }
  return { messages, peakBytes, latency }
}

function print(rows: readonly Row[]): void {
  const lines = rows.map((row) => [
    contenders.find(({ server }) => server === row.server)?.title ?? row.server,
    number(row.grownAllReadMb),
    number(row.grownOneStalledMb),
    number(row.peakDifferenceMb),
    number(row.allRead.p50Ms),
    number(row.oneStalled.p50Ms),
    number(row.allRead.p99Ms),
    number(row.oneStalled.p99Ms),
    number(row.woken.messages),
    number(row.woken.gap),
  ])
  console.log(`\n${table(HEAD, lines)}`)
}

const HEAD = [
  "server",
  "MB grown, all read",
  "MB grown, one stalled",
  "peak, MB more",
  "p50 ms, all read",
  "p50 ms, one stalled",
  "p99 ms, all read",
  "p99 ms, one stalled",
  "given when woken",
  "told as missed",
]
