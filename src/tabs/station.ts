import type { Transport } from "../client/transport.ts"

/** This tab's way to the connection that all share, until its page is left or frozen. */
export interface Station extends Transport {
  /** Cuts all lines. `isGone`: the page is left, and not only frozen. */
  readonly stop: (isGone: boolean) => void
}
