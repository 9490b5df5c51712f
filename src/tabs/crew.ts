import type { Line, LineEvents } from "../client/transport.ts"
import { CLOSE_NORMAL, CLOSE_TIMEOUT } from "../protocol/close.ts"
import { broadcastDuct } from "./browser-ducts.ts"
import { hostLine, type TabLine, tabLine } from "./duct.ts"
import type { Exchange } from "./exchange.ts"
import { Guests, tabLock } from "./guests.ts"
import { hold, steal } from "./locks.ts"
import type { Station } from "./station.ts"

/** What the tabs of a crew say to each other. */
type Word =
  /** From now on, `tab` has the connection. */
  | { readonly type: "leader"; readonly tab: string }
  | { readonly type: "session"; readonly session: string }
  | {
      readonly type: "open"
      readonly tab: string
      readonly line: string
      readonly by: number
      readonly url: string
    }

export interface CrewPorts {
  /** Of this tab, and only of it. */
  readonly uniqueId: () => string
  readonly makeExchange: (session: string | undefined, handleSession: (session: string) => void) => Exchange
  /** Runs a task some time from now. Returns how to cancel it. */
  readonly after: (ms: number, task: () => void) => () => void
}

/** A line of this tab that is open, or waits to be taken. */
interface OwnLine {
  readonly by: number
  readonly url: string
  readonly tab: TabLine
  cancelTimeout: (() => void) | undefined
}

/** RFC 6455 7.4.1: the page is left. */
const GOING_AWAY = 1001
/** Who has not taken a line within this time, in ms, does not lead any more: it is frozen, perhaps. */
const TAKE_MS = 1_000

/**
 * The tabs of one name: the one that holds the lock leads, which is to have the connection. The lock goes to the next tab at
 * the moment its holder is gone, and every line of the old leader's is cut, so that the clients come back to the new one.
 */
export function joinCrew(name: string, { uniqueId, makeExchange, after }: CrewPorts): Station {
  const id = uniqueId()
  const control = new BroadcastChannel(name)
  const lines = new Map<string, OwnLine>()
  const guests = new Guests(name)
  let leading: Exchange | undefined
  let session: string | undefined
  let present = false
  let over = false
  let leaveLead = () => {}

  const say = (word: Word) => {
    if (!over) control.postMessage(word)
  }
  const cutOpenLines = () => {
    for (const { tab } of [...lines.values()]) if (tab.isOpen()) tab.cut()
  }

  const lead = () => {
    const exchange = makeExchange(session, (given) => {
      session = given
      say({ type: "session", session })
    })
    leading = exchange
    cutOpenLines()
    say({ type: "leader", tab: id })
    for (const line of [...lines.keys()]) ask(line)
  }
  const abdicate = () => {
    leading?.close(CLOSE_TIMEOUT)
    leading = undefined
    guests.clear()
    contest(hold)
  }
  const contest = (way: typeof steal) => {
    leaveLead()
    if (!over) leaveLead = way(leaderLock(name), lead, abdicate)
  }

  /** Asks the leader to take a line. */
  const ask = (line: string) => {
    const own = lines.get(line)
    if (own === undefined || own.tab.isOpen() || !present || over) return
    own.cancelTimeout?.()
    own.cancelTimeout = undefined
    if (leading !== undefined) {
      host(leading, id, line, own)
      return
    }
    say({ type: "open", tab: id, line, by: own.by, url: own.url })
    own.cancelTimeout = after(TAKE_MS, () => contest(steal))
  }
  const host = (exchange: Exchange, tab: string, line: string, { by, url }: Pick<OwnLine, "by" | "url">) =>
    guests.host(tab, line, (done) =>
      hostLine(broadcastDuct(lineName(name, line)), (port) => exchange.open(by, url, port), done),
    )

  control.onmessage = ({ data: word }: MessageEvent<Word>) => {
    if (word.type === "session") session = word.session
    else if (word.type === "leader") {
      cutOpenLines()
      for (const line of lines.keys()) ask(line)
    } else if (leading !== undefined) {
      if (session !== undefined) say({ type: "session", session })
      host(leading, word.tab, word.line, word)
    }
  }

  // others see by this lock when the tab is gone, so nothing is asked of them before it is held
  const leavePresence = hold(tabLock(name, id), () => {
    present = true
    contest(hold)
    for (const line of lines.keys()) ask(line)
  })

  return {
    open: (by: number, url: string, events: LineEvents): Line => {
      const line = uniqueId()
      const own: OwnLine = {
        by,
        url,
        cancelTimeout: undefined,
        tab: tabLine(broadcastDuct(lineName(name, line)), events, () => {
          own.cancelTimeout?.()
          lines.delete(line)
        }),
      }
      lines.set(line, own)
      ask(line)
      return own.tab.line
    },
    stop: (isGone) => {
      const isAlone = guests.isAlone(id)
      for (const { tab } of [...lines.values()]) {
        if (leading === undefined && isGone) tab.line.close(GOING_AWAY, "")
        else tab.cut()
      }
      // with 1000 the member leaves at once, and others that are the same member go on
      leading?.close(isGone && isAlone ? CLOSE_NORMAL : CLOSE_TIMEOUT)
      over = true
      guests.clear()
      leaveLead()
      leavePresence()
      control.close()
    },
  }
}

function leaderLock(name: string): string {
  return `${name} leader`
}

/** What only the two ends of a line hear. */
function lineName(name: string, line: string): string {
  return `${name} line ${line}`
}
