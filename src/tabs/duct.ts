import type { Line, LineEvents, Wire } from "../client/transport.ts"
import { CLOSE_CUT } from "../protocol/close.ts"
import type { TabEnd } from "./exchange.ts"
import type { TabPort } from "./relay.ts"

/** What a tab says to the exchange over a line's duct. */
export type FromTab =
  | { readonly type: "wire"; readonly wire: Wire }
  | { readonly type: "close"; readonly code: number; readonly reason: string }

/** What the exchange says to a tab. */
export type ToTab =
  | { readonly type: "opened" }
  | { readonly type: "wire"; readonly wire: Wire }
  | { readonly type: "close"; readonly code: number; readonly reason: string }

/** Carries the messages of one line between a tab and the exchange, in order, and never while `post` runs. */
export interface Duct<In, Out> {
  readonly post: (message: Out) => void
  /** Called once, before anything is posted to it. */
  readonly listen: (listener: (message: In) => void) => void
  readonly end: () => void
}

/** A line, as its tab has it, and how to cut it from here. */
export interface TabLine {
  readonly line: Line
  /** Whether the exchange has taken it. */
  readonly isOpen: () => boolean
  readonly cut: () => void
}

/** The tab's end of a duct. `handleEnd` is called when the line is over, on whichever side. */
export function tabLine(duct: Duct<ToTab, FromTab>, events: LineEvents, handleEnd: () => void): TabLine {
  let state: "opening" | "open" | "closed" = "opening"
  const end = () => {
    state = "closed"
    duct.end()
    handleEnd()
  }
  duct.listen((message) => {
    if (state === "closed") return
    if (message.type === "opened") {
      if (state === "open") return
      state = "open"
      events.onOpen()
    } else if (message.type === "wire") {
      events.onMessage(message.wire)
    } else {
      end()
      events.onClose(message.code, message.reason)
    }
  })
  return {
    isOpen: () => state === "open",
    cut: () => {
      if (state === "closed") return
      end()
      events.onClose(CLOSE_CUT, "")
    },
    line: {
      send: (wire) => {
        if (state === "open") duct.post({ type: "wire", wire })
      },
      close: (code, reason) => {
        if (state === "closed") return
        duct.post({ type: "close", code, reason })
        end()
        // whoever closes is told when that is done, as by any line
        queueMicrotask(() => events.onClose(code, reason))
      },
      // what is on its way between tabs is not known, and does not wait for a network
      bufferedBytes: () => 0,
    },
  }
}

/** The exchange's end of a duct, which `open` leads into it. Returns how to tell it that the tab is gone. */
export function hostLine(
  duct: Duct<FromTab, ToTab>,
  open: (port: TabPort) => TabEnd,
  handleEnd: () => void,
): () => void {
  let over = false
  const end = () => {
    over = true
    duct.end()
    handleEnd()
  }
  const close = (code: number, reason: string) => {
    if (over) return
    duct.post({ type: "close", code, reason })
    end()
  }
  const send = (wire: Wire) => {
    if (!over) duct.post({ type: "wire", wire })
  }
  let tab: TabEnd
  try {
    tab = open({ send, close })
  } catch {
    // it cannot be reached from here
    close(CLOSE_CUT, "")
    return () => {}
  }
  const leave = (code: number, reason: string) => {
    if (over) return
    end()
    tab.handleClose(code, reason)
  }
  duct.listen((message) => {
    if (over) return
    if (message.type === "wire") tab.handleWire(message.wire)
    else leave(message.code, message.reason)
  })
  duct.post({ type: "opened" })
  return () => leave(CLOSE_CUT, "")
}

/** Both ends of a duct within one page. `soon` runs a task when what runs now is done. */
export function ductWithin(
  soon: (task: () => void) => void,
): readonly [tab: Duct<ToTab, FromTab>, host: Duct<FromTab, ToTab>] {
  let toTab: ((message: ToTab) => void) | undefined
  let toHost: ((message: FromTab) => void) | undefined
  return [
    {
      post: (message) => soon(() => toHost?.(message)),
      listen: (listener) => {
        toTab = listener
      },
      end: () => {},
    },
    {
      post: (message) => soon(() => toTab?.(message)),
      listen: (listener) => {
        toHost = listener
      },
      end: () => {},
    },
  ]
}
