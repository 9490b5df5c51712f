import type { Tally } from "./tally.ts"

export interface Result {
  readonly done: number
  readonly broken: readonly number[]
  readonly seconds: number
}

/** What a run of many seeds amounts to, for people. */
export function summaryOf(tally: Tally, { done, broken, seconds }: Result): string {
  const deliveries = tally.of("events live") + tally.of("events replayed") + tally.of("values told")
  const reconnects = tally.of("connections made") - tally.of("clients")
  const gaps = namesOf(tally, "gaps told, ").reduce((sum, [, times]) => sum + times, 0)
  const rows: readonly (readonly [string, string])[] = [
    ["seeds", `${count(done)} in ${seconds.toFixed(1)} s, ${(done / seconds).toFixed(1)} a second`],
    ["virtual time", `${count(tally.of("virtual seconds"))} s`],
    ["messages", `${count(tally.of("messages up"))} up, ${count(tally.of("messages down"))} down`],
    [
      "log entries",
      `${count(tally.of("entries"))}; ${count(tally.of("appends found again"))} sent again, found`,
    ],
    ["deliveries", `${count(deliveries)}; ${count(tally.of("events replayed"))} of them replayed`],
    ["reconnects", count(reconnects)],
    ["gaps told", `${count(gaps)}${list(namesOf(tally, "gaps told, "))}`],
    ["faults", list(namesOf(tally, "fault ")).replace(": ", "")],
    ["failed with", list(namesOf(tally, "failed with ")).replace(": ", "")],
    [
      "broken",
      broken.length === 0 ? "none" : `${broken.length}: ${[...broken].sort((a, b) => a - b).join(", ")}`,
    ],
  ]
  return rows.map(([name, text]) => `${name.padEnd(13)} ${text}`).join("\n")
}

function namesOf(tally: Tally, prefix: string): [name: string, times: number][] {
  return Object.entries(tally.counts())
    .filter(([name]) => name.startsWith(prefix))
    .map(([name, times]) => [name.slice(prefix.length), times])
}

function list(counts: readonly (readonly [string, number])[]): string {
  return counts.length === 0 ? "" : `: ${counts.map(([name, times]) => `${name} ${count(times)}`).join(", ")}`
}

function count(value: number): string {
  return value.toLocaleString("en-US")
}
