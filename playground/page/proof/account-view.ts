import { element, write } from "../element.ts"
import { formatCount } from "../format.ts"
import type { Verdict } from "./verdict.ts"

/** The figures beside the timeline. */
export interface Account {
  readonly state: string
  readonly isOpen: boolean
  readonly offset: number | undefined
  readonly epoch: string | undefined
  readonly missed: number
  readonly replayed: number
  readonly duplicates: number
  readonly gaps: number
}

/** Shows the figures and the verdict on them. */
export function createAccountView() {
  const list = element("account", HTMLElement)
  const verdict = element("verdict", HTMLElement)
  const positionTerm = element("position-term", HTMLElement)
  const figure = element("verdict-figure", HTMLElement)
  const text = element("verdict-text", HTMLElement)

  function show(name: keyof Account, value: string, tone = ""): void {
    const cell = list.querySelector<HTMLElement>(`[data-account="${name === "offset" ? "position" : name}"]`)
    if (cell === null) return
    write(cell, value)
    if (cell.dataset.tone !== tone) cell.dataset.tone = tone
  }

  return {
    showAccount: (account: Account): void => {
      show("state", account.state, account.isOpen ? "live" : "away")
      write(positionTerm, account.isOpen ? "Position" : "Last known position")
      show("offset", account.offset === undefined ? "–" : formatCount(account.offset))
      show("missed", missedText(account), account.missed > 0 ? "late" : "")
      show("replayed", formatCount(account.replayed), account.replayed > 0 ? "late" : "")
      show("duplicates", formatCount(account.duplicates))
      show("gaps", formatCount(account.gaps), account.gaps > 0 ? "late" : "")
      list.title = account.epoch === undefined ? "" : `Epoch ${account.epoch}`
    },
    showVerdict: (said: Verdict): void => {
      verdict.dataset.tone = said.tone
      write(figure, said.figure)
      write(text, said.text)
    },
  }
}

/** While the connection is lost, nothing here knows what is published. */
function missedText({ isOpen, missed, offset }: Account): string {
  return isOpen || offset === undefined ? formatCount(missed) : "unknown"
}
