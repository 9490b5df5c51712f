/** What a run was, in numbers. */
export interface Tally {
  rounds: number
  readonly faults: Map<string, number>
  published: number
  acknowledged: number
  /** Publishes that failed with a code, by it: whether the log holds them is not known, or they are not in it. */
  readonly refused: Map<string, number>
  delivered: number
  reconnects: number
  gaps: number
  /** Acknowledged events that the engine lost when its disk was put back; each was told by a gap. */
  lostByEngine: number
  /** The faults of the last round, with when they began and ended. */
  trail: string[]
  /** How everything stood when something was wrong. */
  situation: readonly string[]
  readonly complaints: string[]
  /** Where presence was not as it is, a minute after everything was well again. The run goes on. */
  readonly absences: string[]
}

/** Beyond, complaints are counted by nobody: so many say enough. */
const COMPLAINTS_MAX = 100

export function newTally(): Tally {
  return {
    rounds: 0,
    faults: new Map(),
    published: 0,
    acknowledged: 0,
    refused: new Map(),
    delivered: 0,
    reconnects: 0,
    gaps: 0,
    lostByEngine: 0,
    trail: [],
    situation: [],
    complaints: [],
    absences: [],
  }
}

export function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1)
}

export function complain(tally: Tally, text: string): void {
  if (tally.complaints.length < COMPLAINTS_MAX) tally.complaints.push(text)
}

export function formatTally(tally: Tally, minutes: number): string {
  const rows: [string, string | number][] = [
    ["minutes", minutes.toFixed(1)],
    ["rounds accounted for", tally.rounds],
    ...[...tally.faults].sort(([, a], [, b]) => b - a),
    ["publishes", tally.published],
    ["  acknowledged", tally.acknowledged],
    ...[...tally.refused].map(([code, count]): [string, number] => [`  ${code}`, count]),
    ["deliveries", tally.delivered],
    ["reconnects", tally.reconnects],
    ["gaps told", tally.gaps],
    ["acknowledged, lost by the engine, told", tally.lostByEngine],
    ["complaints", tally.complaints.length],
    ["complaints about presence", tally.absences.length],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows
    .map(([name, value]) => `  ${name.padEnd(width)}  ${value.toLocaleString("en").padStart(11)}`)
    .join("\n")
}
