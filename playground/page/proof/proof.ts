import type { Connection } from "../client.ts"
import { element } from "../element.ts"
import { formatCount, formatMany, formatSeconds } from "../format.ts"
import { nowMs, onFrame } from "../frames.ts"
import { createAccountView } from "./account-view.ts"
import { createLab } from "./lab.ts"
import { labActions } from "./lab-actions.ts"
import { createLedger } from "./ledger.ts"
import { createTimeline } from "./timeline.ts"
import { verdictOf } from "./verdict.ts"

const TIMELINE_EVERY_MS = 33
const FIGURES_EVERY_MS = 100

/** The figures at the moment when the connection was lost. */
interface Loss {
  readonly atMs: number
  readonly missed: number
  readonly replayed: number
  readonly gaps: number
  backMs?: number
}

/** The account of what was published and what arrived, and the buttons that put it to the test. */
export function startProof(connection: Connection): void {
  const { client } = connection
  const pulse = client.channel("pulse", {})
  const ledger = createLedger()
  const view = createAccountView()
  const drawTimeline = createTimeline(element("timeline", HTMLCanvasElement), ledger)
  const lab = createLab(labActions(connection, pulse, ledger))
  /** How things stood when the connection was lost, until all of it is caught up with. */
  let lost: Loss | undefined

  pulse.on("beat", (data, { at, replayed }) => {
    ledger.handleBeat({ ...data, at, replayed }, nowMs())
    if (lost?.backMs === undefined || replayed) return
    lab.note(backNote(lost, ledger.tally().missedWhileAway, pulse.stats))
    lost = undefined
  })
  pulse.onGap(({ reason }) => ledger.handleGap(reason))
  client.on("status", (status) => {
    lab.showConnection(status === "open")
    if (status === "open") {
      ledger.handleLineBack(nowMs())
      if (lost !== undefined) {
        lost.backMs = nowMs()
        lab.note("Connected again, reading what was missed.")
      }
      return
    }
    ledger.handleLineLost(nowMs())
    if (pulse.position !== undefined)
      lost ??= { atMs: nowMs(), ...pulse.stats, missed: ledger.tally().missedWhileAway }
  })

  onFrame(TIMELINE_EVERY_MS, drawTimeline)
  onFrame(FIGURES_EVERY_MS, (now) => {
    const tally = ledger.tally()
    const arrivedMs = ledger.marks.at(-1)?.arrivedMs ?? now
    const isOpen = client.status === "open"
    view.showVerdict(verdictOf(tally, { isOpen, silentMs: now - arrivedMs, offset: pulse.position?.offset }))
    view.showAccount({
      state: client.status,
      isOpen,
      offset: pulse.position?.offset,
      epoch: pulse.position?.epoch,
      missed: tally.missedWhileAway,
      replayed: pulse.stats.replayed,
      duplicates: pulse.stats.duplicates,
      gaps: pulse.stats.gaps,
    })
  })
}

function backNote(
  lost: Loss,
  missed: number,
  { replayed, gaps }: { replayed: number; gaps: number },
): string {
  const awayMs = (lost.backMs ?? lost.atMs) - lost.atMs
  const figures = `${formatMany(missed - lost.missed, "event")} missed, ${formatCount(replayed - lost.replayed)} replayed`
  return `Back after ${formatSeconds(awayMs)}: ${figures}${gaps > lost.gaps ? ", and a gap reported" : ""}.`
}
