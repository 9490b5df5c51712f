import { formatCount, formatMany } from "../format.ts"
import type { Tally } from "./ledger.ts"

/** What is to be said of the count, in a figure and half a sentence. */
export interface Verdict {
  readonly tone: "good" | "waiting" | "told" | "lost"
  readonly figure: string
  readonly text: string
}

const GAPS: Readonly<Record<string, string>> = {
  trimmed: "the log no longer had them",
  "new-epoch": "the server began a new log",
  "unknown-position": "the server's log does not reach this far",
}

/** What the client knows of its subscription. */
export interface Line {
  readonly isOpen: boolean
  /** For how long nothing has arrived. */
  readonly silentMs: number
  /** The offset of the last event that arrived. */
  readonly offset: number | undefined
}

/** Longer than this without an event is worth a word. */
const SILENT_MS = 1_000

/** Says only what is known here: of what was published since the last event, nothing is. */
export function verdictOf(tally: Tally, { isOpen, silentMs, offset }: Line): Verdict {
  const { published, arrived, announced, lost, disordered, newestGap } = tally
  const figure = `${formatCount(arrived)} of ${formatCount(published)}`
  if (arrived === 0) {
    return isOpen
      ? { tone: "waiting", figure: "Counting", text: "Waiting for the first event." }
      : { tone: "waiting", figure: "Not connected", text: "Nothing has arrived yet." }
  }
  if (lost + disordered > 0) return { tone: "lost", figure, text: wrongs(lost, disordered) }
  if (!isOpen || silentMs > SILENT_MS) {
    const position = offset === undefined ? "" : ` up to position ${formatCount(offset)}`
    const since = isOpen
      ? `Nothing new for ${Math.floor(silentMs / 1_000)} s.`
      : "Not connected: the rest is unknown."
    return { tone: "waiting", figure: formatCount(arrived), text: `arrived${position}.\n${since}` }
  }
  if (newestGap !== undefined) {
    const gap = announced > 0 ? `Gap of ${formatCount(announced)}` : "Gap"
    return {
      tone: "told",
      figure,
      text: `arrived in order, once. ${gap}: ${GAPS[newestGap] ?? newestGap}.`,
    }
  }
  return { tone: "good", figure, text: "published events arrived in order, once." }
}

function wrongs(lost: number, disordered: number): string {
  const parts = []
  if (lost > 0) parts.push(`${formatMany(lost, "event")} lost without a gap`)
  if (disordered > 0) parts.push(`${formatMany(disordered, "event")} twice or out of order`)
  return `arrived, ${parts.join(" and ")}. This is a bug.`
}
