import { element, write } from "./element.ts"

/** How the line stands, for the person. */
export interface LineStatus {
  readonly state: "connecting" | "open" | "waiting" | "closed"
  /** ms until the next attempt, if that is known. */
  readonly retryInMs?: number | undefined
  /** ms for which the line stays down because somebody wanted it so. */
  readonly offlineForMs?: number | undefined
  /** Whether the server can reach its log. */
  readonly logAvailable: boolean
  /** What the node is called that serves this tab, if there are several. */
  readonly node?: string | undefined
}

/** The pill at the top of the page, and what a screen reader is told. */
export function createStatusView() {
  const pill = element("status", HTMLElement)
  const text = element("status-text", HTMLElement)
  const announcer = element("announcer", HTMLElement)

  return {
    show: (status: LineStatus): void => {
      if (pill.dataset.state !== status.state) pill.dataset.state = status.state
      write(text, statusText(status))
    },
    /** Says once what has changed; the pill counts down, which nobody wants read aloud. */
    announce: (what: string): void => write(announcer, what),
  }
}

function statusText({ state, retryInMs, offlineForMs, logAvailable, node }: LineStatus): string {
  if (offlineForMs !== undefined) return `Offline on purpose, ${Math.ceil(offlineForMs / 1_000)} s left`
  if (state === "open") {
    const connected = node === undefined ? "Connected" : `Connected to ${node}`
    return logAvailable ? connected : `${connected}, which cannot reach its log`
  }
  if (state === "closed") return "Closed"
  if (state === "connecting") return "Connecting…"
  if (retryInMs === undefined) return "Not connected, next try soon"
  return retryInMs <= 0
    ? "Not connected, trying now"
    : `Not connected, next try in ${Math.ceil(retryInMs / 1_000)} s`
}
