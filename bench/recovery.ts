import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MESSAGE_BYTES } from "./contestants/message.ts"
import { readOptions } from "./options.ts"
import { checkOpenFiles } from "./process/open-files.ts"
import { LIVE_INTERVAL_US, type LogName } from "./recovery/commands.ts"
import { LIVE_SUBSCRIBERS, type Sample, type Scale, sample } from "./recovery/sample.ts"
import { Progress } from "./report/progress.ts"
import { writeResults } from "./report/results.ts"
import { roundedSpread, type Spread, spreadOf } from "./report/statistics.ts"
import { number, table } from "./report/table.ts"

const logs = ["memory", "lmdb"] as const satisfies LogName[]

/** A line of the results. */
interface Row extends Readonly<Record<keyof Sample, Spread>> {
  readonly log: LogName
}

/** Many clients that come back at once, each somewhat behind: how soon all have everything, and what the others notice. */
export async function run(args: readonly string[]): Promise<void> {
  const options = readOptions(args, "bench/results/recovery.json", {
    clients: [1000],
    behind: [100],
    rounds: [5],
    seconds: [2],
  })
  const [clients = 0, behind = 0, rounds = 0, seconds = 0] = Object.values(options.numbers).map(([n]) => n)
  checkOpenFiles(clients + LIVE_SUBSCRIBERS)
  const samples = await measure(rounds, { clients, behind, seconds, profile: options.profile })
  const rows = logs.map((log): Row => {
    const figure = (name: keyof Sample) => spreadOf((samples.get(log) ?? []).map((sample) => sample[name]))
    const names = Object.keys(samples.get(log)?.[0] ?? {}) as (keyof Sample)[]
    const figures = Object.fromEntries(names.map((name) => [name, roundedSpread(figure(name))]))
    return { log, ...(figures as Record<keyof Sample, Spread>) }
  })
  print(rows)
  const settings = {
    clients,
    messagesBehind: behind,
    messageBytes: MESSAGE_BYTES,
    rounds,
    liveSubscribers: LIVE_SUBSCRIBERS,
    liveMessagesPerSecond: 1e6 / LIVE_INTERVAL_US,
  }
  if (options.out !== undefined) writeResults(options.out, "recovery", settings, rows)
}

async function measure(rounds: number, scale: Scale): Promise<Map<LogName, Sample[]>> {
  const samples = new Map<LogName, Sample[]>()
  const progress = new Progress(rounds * logs.length)
  for (let round = 1; round <= rounds; round++) {
    for (const log of logs) {
      progress.step(`round ${round}: ${log} log`)
      const folder = mkdtempSync(join(tmpdir(), "bench-recovery-"))
      try {
        samples.set(log, [...(samples.get(log) ?? []), await sample(log, folder, scale)])
      } finally {
        rmSync(folder, { recursive: true })
      }
    }
  }
  progress.end()
  return samples
}

function print(rows: readonly Row[]): void {
  const lines = FIGURES.map(([title, name]) => [title, ...rows.map((row) => inWords(row[name]))])
  console.log(`\n${table(["", ...rows.map(({ log }) => `${log} log`)], lines)}`)
}

function inWords({ median, min, max }: Spread): string {
  return `${number(median)} (${number(min)} to ${number(max)})`
}

const FIGURES: readonly (readonly [string, keyof Sample])[] = [
  ["all reconnected and caught up, ms", "reconnectMs"],
  ["of these, 99 % by, ms", "reconnectP99Ms"],
  ["server CPU for that, ms", "reconnectCpuMs"],
  ["server CPU to reconnect with nothing missed, ms", "reconnectOnlyCpuMs"],
  ["caught up on connections that stand, ms", "catchUpMs"],
  ["entries/s", "catchUpEntriesPerSecond"],
  ["MB/s", "catchUpMegabytesPerSecond"],
  ["server CPU per entry, µs", "catchUpCpuUs"],
  ["live traffic before: p50, ms", "liveBeforeP50Ms"],
  ["live traffic before: p99, ms", "liveBeforeP99Ms"],
  ["live traffic while all reconnect: p50, ms", "liveReconnectingP50Ms"],
  ["live traffic while all reconnect: p99, ms", "liveReconnectingP99Ms"],
  ["live traffic while all catch up: p50, ms", "liveCatchingUpP50Ms"],
  ["live traffic while all catch up: p99, ms", "liveCatchingUpP99Ms"],
]
