/** One numbered event, as it arrived. */
export interface Beat {
  /** Names one life of the server's counter. */
  readonly run: string
  /** Contiguous within a run, whatever the offsets are: what was lost leaves a hole. */
  readonly number: number
  /** When it was published, in ms since 1970 by the server's clock. */
  readonly at: number
  readonly replayed: boolean
  /** The number of the first event of its burst. */
  readonly burst?: number | undefined
}

/** An event on the timeline; times in ms since 1970 by the clock of here. */
export interface Mark {
  readonly publishedMs: number
  readonly arrivedMs: number
  /** It was not delivered as it was published, but caught up with. */
  readonly late: boolean
  /** The number of the first event of its burst. */
  readonly burst: number | undefined
}

/** A time in which the line was down, or in which this tab did not read. `toMs` is Infinity while it lasts. */
export interface Trouble {
  readonly kind: "away" | "slow"
  readonly fromMs: number
  toMs: number
  /** How many events were caught up with after it. */
  caughtUp: number
}

export interface Tally {
  /** Events that this tab was owed, as far as it can know: from the first one that arrived to the last. */
  readonly published: number
  readonly arrived: number
  /** Missing, and Holdfast had said so in a gap. */
  readonly announced: number
  /** Missing without a word. Must stay 0, always. */
  readonly lost: number
  /** Arrived twice, or after a later one. Must stay 0, always. */
  readonly disordered: number
  /** Published while the line was down, by their numbers. */
  readonly missedWhileAway: number
  readonly newestGap: string | undefined
}

/** What arrives later than this after it was published was not delivered live. */
const LATE_MS = 400
const MARKS_FOR_MS = 60_000

/**
 * Counts what arrives by the numbers that the server's own code gave the events. It knows nothing of offsets and takes
 * no promise from the client, except where a gap was announced: so it would catch a loss that the client overlooked.
 */
export function createLedger() {
  let run: string | undefined
  let last = 0
  let arrived = 0
  let announced = 0
  let lost = 0
  let disordered = 0
  let missed = 0
  let lastBeforeAway: number | undefined
  let gapPending = false
  let newestGap: string | undefined
  let skewMs = Number.POSITIVE_INFINITY
  const marks: Mark[] = []
  const troubles: Trouble[] = []

  function start(beat: Beat): void {
    // A server that began anew without its log says so in a gap; that it did not would be a loss without a word.
    if (run !== undefined && !gapPending) lost++
    run = beat.run
    last = beat.number - 1
    if (lastBeforeAway !== undefined) lastBeforeAway = last
  }

  function countHole(hole: number): void {
    if (gapPending) announced += hole
    else lost += hole
    gapPending = false
  }

  function countMissed(beat: Beat): void {
    if (lastBeforeAway === undefined) return
    const through = beat.replayed ? beat.number : beat.number - 1
    missed += Math.max(0, through - lastBeforeAway)
    lastBeforeAway = beat.replayed ? beat.number : undefined
  }

  function mark(beat: Beat, nowMs: number): void {
    skewMs = Math.min(skewMs, nowMs - beat.at)
    const publishedMs = beat.at + skewMs
    const late = beat.replayed || nowMs - publishedMs > LATE_MS
    marks.push({ publishedMs, arrivedMs: nowMs, late, burst: beat.burst })
    const trouble = troubles.at(-1)
    if (late && trouble !== undefined) trouble.caughtUp++
    forget(nowMs - MARKS_FOR_MS)
  }

  function forget(beforeMs: number): void {
    const kept = marks.findIndex((one) => one.arrivedMs >= beforeMs)
    if (kept > 200) marks.splice(0, kept)
    while (troubles[0] !== undefined && troubles[0].toMs < beforeMs) troubles.shift()
  }

  function begin(kind: Trouble["kind"], nowMs: number): void {
    if (troubles.at(-1)?.toMs === Number.POSITIVE_INFINITY && troubles.at(-1)?.kind === kind) return
    troubles.push({ kind, fromMs: nowMs, toMs: Number.POSITIVE_INFINITY, caughtUp: 0 })
  }

  function end(kind: Trouble["kind"], nowMs: number): void {
    for (const trouble of troubles) {
      if (trouble.kind === kind) trouble.toMs = Math.min(trouble.toMs, nowMs)
    }
  }

  return {
    handleBeat: (beat: Beat, nowMs: number): void => {
      if (beat.run !== run) start(beat)
      // the log has lost its end and said so: what was lost there is counted anew
      else if (gapPending && newestGap === "new-epoch" && beat.number <= last) last = beat.number - 1
      if (beat.number <= last) {
        disordered++
        return
      }
      countMissed(beat)
      countHole(beat.number - last - 1)
      last = beat.number
      arrived++
      mark(beat, nowMs)
    },
    handleGap: (reason: string): void => {
      gapPending = true
      newestGap = reason
    },
    handleLineLost: (nowMs: number): void => {
      if (run === undefined) return
      lastBeforeAway ??= last
      begin("away", nowMs)
    },
    handleLineBack: (nowMs: number): void => end("away", nowMs),
    handleSlow: (nowMs: number): void => begin("slow", nowMs),
    handleSwift: (nowMs: number): void => end("slow", nowMs),
    marks: marks as readonly Mark[],
    troubles: troubles as readonly Trouble[],
    tally: (): Tally => ({
      published: arrived + announced + lost,
      arrived,
      announced,
      lost,
      disordered,
      missedWhileAway: missed,
      newestGap,
    }),
  }
}

export type Ledger = ReturnType<typeof createLedger>
