import type { HoldfastError } from "../protocol/error.ts"
import type { Wire } from "./transport.ts"

/** What an earlier page left: published, and not answered. */
export interface Kept {
  /** The session that it had. A server that knows no users knows keys by session. */
  readonly session: string
  /** In the order published. `message` has everything but its id. */
  readonly entries: readonly { readonly message: object; readonly sentAtMs?: number | undefined }[]
}

export interface OutboxStorePorts {
  /** The session that this client would take. */
  readonly session: string
  readonly decode: (wire: Wire) => unknown
  /** Told what cannot be kept, and why. The client goes on without. */
  readonly handleError: (error: HoldfastError) => void
}

/** Keeps what is not answered beyond the life of a page. `holdfast/outbox` has one. */
export interface OutboxStore {
  /**
   * Called once, before anything else: what is there, if it can be had. It is put again, message by message, before
   * anything new, so only then may what was there be dropped.
   */
  readonly open: (ports: OutboxStorePorts) => Promise<Kept | undefined>
  /** Keeps a message, or when it left for the first time, in ms of the server's clock. */
  readonly put: (id: number, wire: Wire, sentAtMs: number | undefined) => void
  readonly remove: (id: number) => void
  /** Runs `send` once all that was put is kept, or cannot be. In the order of the calls. */
  readonly flush: (send: () => void) => void
  /** The client is closed: keeps what was put and not removed, and lets another have the place. */
  readonly close: () => void
}
