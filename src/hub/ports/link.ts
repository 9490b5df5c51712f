import type { CodecName } from "../../protocol/codec.ts"
import type { ServerMessage } from "../../protocol/message.ts"
import type { Position } from "../../protocol/position.ts"

/**
 * How messages become the bytes that one kind of link carries, framing included. One value for all links of a kind,
 * compared by identity: that is what lets the hub encode a message once and hand the same bytes to every subscriber.
 */
export interface Encoding {
  readonly name: string
  /** What its messages are written in, and those of its peers. */
  readonly codec: CodecName
  /**
   * A message as a complete frame of this kind of link. The message may hold encoded values, as `piecesOf` takes them. `position` is where the cursor of a subscriber stands that has
   * taken it, if it moves one; for kinds whose frames carry it outside of the message.
   */
  readonly frame: (message: object, position?: Position) => Uint8Array
  /** Several frames as one piece. */
  readonly join: (frames: readonly Uint8Array[]) => Uint8Array
}

/**
 * The sending side of one connection. Frames are written whole and in order; nothing is queued by the hub, so the link
 * has to say when it is full.
 */
export interface Link {
  readonly encoding: Encoding
  /** It is over with one request, and its client comes with another: so its members stay for a lease. Default: false. */
  readonly brief?: boolean
  /**
   * Writes bytes that other links may share: they must not be changed. Returns false when the link holds more than its
   * high-water mark; it took the bytes all the same, and will call `Connection.handleDrain` when it is empty again.
   */
  readonly write: (bytes: Uint8Array) => boolean
  /**
   * A message for this peer alone, and what `frame` is given with it; returns what `write` does. For links that have to
   * understand what they carry. Absent: it is framed and written like all others.
   */
  readonly send?: (message: ServerMessage, position?: Position) => boolean
  /** Told when a subscription has come up to its channel's tail. */
  readonly handleLive?: () => void
  /** Between `cork` and `uncork`, writes are gathered into one. */
  readonly cork: () => void
  readonly uncork: () => void
  /** Stops reading from the peer, and goes on: backpressure for those who send faster than they are served. */
  readonly pause: () => void
  readonly resume: () => void
  /** Closes in an orderly way: what was written goes out first. `Connection.handleClose` follows. */
  readonly close: (code: number, reason: string) => void
  /** Cuts the line without a word. */
  readonly destroy: () => void
}
