import type { Line, LineEvents } from "../client/transport.ts"

/** This tab's way to the connection that all share, until its page is left or frozen. */
export interface Station {
  /** As a transport does; `by` is the number of the transport that is to reach the server. */
  readonly open: (by: number, url: string, events: LineEvents) => Line
  /** Cuts all lines. `isGone`: the page is left, and not only frozen. */
  readonly stop: (isGone: boolean) => void
}
