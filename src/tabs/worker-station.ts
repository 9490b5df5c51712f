import type { Line, LineEvents } from "../client/transport.ts"
import { portDuct } from "./browser-ducts.ts"
import { type TabLine, tabLine } from "./duct.ts"
import { tabLock } from "./guests.ts"
import { hold } from "./locks.ts"
import type { Station } from "./station.ts"

/** What a tab says to the worker, with a port for the line. */
export interface WorkerWord {
  readonly name: string
  readonly tab: string
  /** The number of the transport. */
  readonly by: number
  readonly url: string
}

/** RFC 6455 7.4.1: the page is left. */
const GOING_AWAY = 1001

/** The connection in a worker that all tabs share. `handleFailure` is called when it cannot be started. */
export function workerStation(
  name: string,
  worker: SharedWorker,
  uniqueId: () => string,
  handleFailure: () => void,
): Station {
  const tab = uniqueId()
  const lines = new Set<TabLine>()
  const asks: (() => void)[] = []
  let present = false
  worker.port.start()
  worker.addEventListener("error", () => {
    handleFailure()
    for (const line of [...lines]) line.cut()
  })
  // the worker sees by this lock when the tab is gone, so nothing is asked of it before it is held
  const leave = hold(tabLock(name, tab), () => {
    present = true
    for (const ask of asks.splice(0)) ask()
  })
  return {
    open: (by: number, url: string, events: LineEvents): Line => {
      const { port1, port2 } = new MessageChannel()
      const own = tabLine(portDuct(port1), events, () => lines.delete(own))
      lines.add(own)
      const word: WorkerWord = { name, tab, by, url }
      const ask = () => worker.port.postMessage(word, [port2])
      if (present) ask()
      else asks.push(ask)
      return own.line
    },
    stop: (isGone) => {
      for (const { line, cut } of [...lines]) {
        if (isGone) line.close(GOING_AWAY, "")
        else cut()
      }
      leave()
      worker.port.close()
    },
  }
}
