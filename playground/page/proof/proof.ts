import { beatEveryMs } from "../../places.ts"
import type { Connection } from "../client.ts"
import { element } from "../element.ts"
import { formatMany, formatSeconds } from "../format.ts"
import { nowMs, onFrame } from "../frames.ts"
import { createAccountView } from "./account-view.ts"
import { createLab } from "./lab.ts"
import { labActions } from "./lab-actions.ts"
import { createLedger } from "./ledger.ts"
import { createTimeline } from "./timeline.ts"
import { verdictOf } from "./verdict.ts"

const TIMELINE_EVERY_MS = 33
const FIGURES_EVERY_MS = 100

/** The account of what was published and what arrived, and the buttons that put it to the test. */
export function startProof(connection: Connection): void {
  const { client } = connection
  const pulse = client.channel("pulse", {})
  const ledger = createLedger()
  const view = createAccountView()
  const drawTimeline = createTimeline(element("timeline", HTMLCanvasElement), ledger, beatEveryMs)
  const lab = createLab(labActions(connection, pulse, ledger))
  /** How things stood when the line was lost, until all of it is caught up with. */
  let lost: { readonly atMs: number; readonly replayed: number; backMs?: number } | undefined

  pulse.on("beat", (data, { at, replayed }) => {
    ledger.handleBeat({ ...data, at, replayed }, nowMs())
    if (lost?.backMs === undefined || replayed) return
    const count = formatMany(pulse.stats.replayed - lost.replayed, "event")
    lab.note(`Back after ${formatSeconds(lost.backMs - lost.atMs)}, with ${count} replayed.`)
    lost = undefined
  })
  pulse.onGap(({ reason }) => ledger.handleGap(reason))
  client.on("status", (status) => {
    if (status === "open") {
      ledger.handleLineBack(nowMs())
      if (lost !== undefined) lost.backMs = nowMs()
      return
    }
    ledger.handleLineLost(nowMs())
    if (pulse.position !== undefined) lost ??= { atMs: nowMs(), replayed: pulse.stats.replayed }
  })

  onFrame(TIMELINE_EVERY_MS, drawTimeline)
  onFrame(FIGURES_EVERY_MS, (now) => {
    const tally = ledger.tally()
    const arrivedMs = ledger.marks.at(-1)?.arrivedMs ?? now
    view.showVerdict(verdictOf(tally, now - arrivedMs, beatEveryMs))
    view.showAccount({
      state: client.status,
      isOpen: client.status === "open",
      offset: pulse.position?.offset,
      epoch: pulse.position?.epoch,
      missed: tally.missedWhileAway,
      replayed: pulse.stats.replayed,
      duplicates: pulse.stats.duplicates,
      gaps: pulse.stats.gaps,
    })
  })
}
