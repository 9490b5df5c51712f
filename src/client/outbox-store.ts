import type { HoldfastError } from "../protocol/error.ts"
import type { Wire } from "./transport.ts"

export interface OutboxStorePorts {
  /** The session that this client would take. */
  readonly session: string
  readonly decode: (wire: Wire) => unknown
  /** Takes over what an earlier page left. `message` has everything but its id. It is put, as anything new is. */
  readonly restore: (message: object, sentAtMs: number | undefined) => void
  /** Told what cannot be kept, and why. The client goes on without. */
  readonly handleError: (error: HoldfastError) => void
}

/** Keeps what is not answered beyond the life of a page. `holdfast/outbox` has one. */
export interface OutboxStore {
  /**
   * Called once, before anything else. Restores what is there, in the order published, and resolves with the session that
   * it belongs to, for a server that knows no users knows keys by session. What was there may be dropped with the first
   * write after that.
   */
  readonly open: (ports: OutboxStorePorts) => Promise<string>
  /** Keeps a message, or when it left for the first time, in ms of the server's clock. */
  readonly put: (id: number, wire: Wire, sentAtMs: number | undefined) => void
  readonly remove: (id: number) => void
  /** Runs `send` once all that was put is kept, or cannot be. In the order of the calls. */
  readonly flush: (send: () => void) => void
  /** The client is closed: keeps what was put and not removed, and lets another have the place. */
  readonly close: () => void
}
