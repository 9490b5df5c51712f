import type { Outlet } from "./outlet.ts"

/** A value that the server's own code loaded, after the log had come to `offset`. */
export interface Loaded {
  readonly offset: number
  readonly data: unknown
}

/**
 * A snapshot on its way. First the fold up to `fold` is read, then what changed meanwhile, up to the top: so it is complete where it
 * ends, and holds no key that was removed while it was read. If such a removal is forgotten before it is read, all begins again.
 */
export interface SnapshotProgress {
  readonly fold: number
  /** Read up to here. */
  after: number
  loaded: Loaded | undefined
  /** Parts were sent that count for nothing, and the next one says so. */
  restarts: boolean
}

/** A cursor on a channel's log, and where it delivers to. */
export class Subscription<Channel> {
  readonly channel: Channel
  readonly outlet: Outlet
  /** `live`: at the channel's tail, and `epoch` and `offset` are the channel's. `behind`: served from the log. */
  state: "live" | "behind" | "ended" = "behind"
  epoch: string
  offset: number
  /**
   * By collection, up to which offset the subscriber needs no entries, where that is above the cursor: a snapshot has them, or a gap
   * was sent for them.
   */
  covered: Map<string, number> | undefined
  snapshot: SnapshotProgress | undefined
  /** A page is being read for it. */
  reading = false

  constructor(channel: Channel, outlet: Outlet, epoch: string, offset: number) {
    this.channel = channel
    this.outlet = outlet
    this.epoch = epoch
    this.offset = offset
  }

  cover(offsets: Readonly<Record<string, number>>): void {
    this.covered ??= new Map()
    for (const [collection, offset] of Object.entries(offsets)) {
      this.covered.set(collection, Math.max(offset, this.covered.get(collection) ?? 0))
    }
  }
}
