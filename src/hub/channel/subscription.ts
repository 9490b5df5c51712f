import type { Position } from "../../protocol/position.ts"
import { isKeyed } from "./facets.ts"
import type { Outlet } from "./outlet.ts"
import type { SnapshotProgress } from "./snapshot-progress.ts"

/** Where a subscription that is about to end stops. */
export interface Final {
  /** The head of the log when the ending began; undefined until the log has said. */
  head: Position | undefined
  /** Called when the subscription has reached the head, or was removed. */
  readonly handleReached: () => void
}

/** A cursor on a channel's log, and where it delivers to. */
export class Subscription<Channel> {
  readonly channel: Channel
  readonly outlet: Outlet
  /** `live`: at the channel's tail, and `epoch` and `offset` are the channel's. `behind`: served from the log. */
  state: "live" | "behind" | "ended" = "behind"
  epoch: string
  offset: number
  /** The subscriber has states and members up to here, where that is above the cursor. */
  snapshotOffset = 0
  /** Events that were lost up to here were reported, where that is above the cursor. */
  reportedOffset = 0
  /** The value that the server loaded last has all entries up to here. */
  loadedOffset = 0
  snapshot: SnapshotProgress | undefined
  /** Set when it is about to end: it is served up to there, and never live again. */
  final: Final | undefined
  /** The application's loader runs for it. */
  loading = false
  /** A page is being read for it. */
  reading = false

  constructor(channel: Channel, outlet: Outlet, epoch: string, offset: number) {
    this.channel = channel
    this.outlet = outlet
    this.epoch = epoch
    this.offset = offset
  }

  /** Whether it may be read for now. */
  get isServable(): boolean {
    return this.state === "behind" && (this.final === undefined || this.final.head !== undefined)
  }

  /** The greatest offset to deliver, where the log stands at `top`. */
  endOf(top: number): number {
    const head = this.final?.head
    return head?.epoch === this.epoch ? head.offset : top
  }

  /** Up to which offset no entries of the collection are missing, where that is above the cursor. */
  completeTo(collection: string): number {
    return isKeyed(collection) ? this.snapshotOffset : this.reportedOffset
  }

  /** The subscriber has all of its snapshot. */
  completeSnapshot(offset: number): void {
    const { snapshot } = this
    this.snapshot = undefined
    // otherwise the loss is the next gap
    if (snapshot?.isStale === false) this.snapshotOffset = offset
    this.loadedOffset = snapshot?.loaded?.offset ?? 0
  }

  /** Goes on from here, as one that has nothing above. */
  moveTo({ epoch, offset }: Position): void {
    this.epoch = epoch
    this.offset = offset
    this.snapshotOffset = this.reportedOffset = this.loadedOffset = 0
  }

  /** What was lost up to these floors was reported. */
  report(floors: Readonly<Record<string, number>>): void {
    for (const [collection, floor] of Object.entries(floors)) {
      if (isKeyed(collection)) this.snapshotOffset = Math.max(this.snapshotOffset, floor)
      else this.reportedOffset = Math.max(this.reportedOffset, floor)
    }
  }
}
