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

/**
 * The connection in a worker that all tabs share. When the worker cannot be started, `handleFailure` gives another station,
 * to which the lines go that wait.
 */
export function workerStation(
  name: string,
  worker: SharedWorker,
  uniqueId: () => string,
  handleFailure: () => Station,
): Station {
  const tab = uniqueId()
  const lines = new Set<TabLine>()
  /** How the lines that are there go elsewhere. */
  const moves = new Set<(station: Station) => void>()
  const asks: (() => void)[] = []
  let present = false
  worker.port.start()
  worker.addEventListener("error", () => {
    const station = handleFailure()
    for (const move of [...moves]) move(station)
  })
  // the worker sees by this lock when the tab is gone, so nothing is asked of it before it is held
  const leave = hold(tabLock(name, tab), () => {
    present = true
    for (const ask of asks.splice(0)) ask()
  })

  const openHere = (by: number, url: string, events: LineEvents, handleEnd: () => void): TabLine => {
    const { port1, port2 } = new MessageChannel()
    const own = tabLine(portDuct(port1), events, () => {
      lines.delete(own)
      handleEnd()
    })
    lines.add(own)
    const word: WorkerWord = { name, tab, by, url }
    const ask = () => worker.port.postMessage(word, [port2])
    if (present) ask()
    else asks.push(ask)
    return own
  }
  return {
    open: (by, url, events): Line => {
      let moved = false
      const onClose: LineEvents["onClose"] = (code, reason) => {
        if (!moved) events.onClose(code, reason)
      }
      const own = openHere(by, url, { ...events, onClose }, () => moves.delete(move))
      let { line } = own
      const move = (station: Station) => {
        // a line that is open has an other end that cannot be replaced
        moved = !own.isOpen()
        own.cut()
        if (moved) line = station.open(by, url, events)
      }
      moves.add(move)
      return {
        send: (wire) => line.send(wire),
        close: (code, reason) => line.close(code, reason),
        bufferedBytes: () => line.bufferedBytes(),
      }
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
