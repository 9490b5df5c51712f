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

/**
 * @param awaitedMs for how long nothing has arrived although something should have
 * @param everyMs the distance at which events are published
 */
export function verdictOf(tally: Tally, awaitedMs: number, everyMs: number): Verdict {
  const { published, arrived, announced, lost, disordered, newestGap } = tally
  const figure = `${formatCount(arrived)} of ${formatCount(published)}`
  if (arrived === 0) return { tone: "waiting", figure: "Counting", text: "Waiting for the first event." }
  if (lost + disordered > 0) return { tone: "lost", figure, text: wrongs(lost, disordered) }
  if (awaitedMs > 10 * everyMs) {
    const meanwhile = formatCount(Math.round(awaitedMs / everyMs))
    return {
      tone: "waiting",
      figure: formatCount(arrived),
      text: `arrived. About ${meanwhile} more since, on hold for you.`,
    }
  }
  if (newestGap !== undefined) {
    const gone = announced > 0 ? `${formatCount(announced)} are gone, as announced` : "a gap was announced"
    return {
      tone: "told",
      figure,
      text: `arrived, in order, once; ${gone}: ${GAPS[newestGap] ?? newestGap}.`,
    }
  }
  return { tone: "good", figure, text: "published events arrived, in order, once." }
}

function wrongs(lost: number, disordered: number): string {
  const parts = []
  if (lost > 0) parts.push(`${formatMany(lost, "event")} lost without a word`)
  if (disordered > 0) parts.push(`${formatMany(disordered, "event")} twice or out of order`)
  return `arrived, ${parts.join(" and ")}. This is a bug.`
}
