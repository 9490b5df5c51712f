import { within } from "./deadline.ts"
import { unavailable } from "./failure.ts"

export interface LinkPorts {
  readonly open: () => Promise<void>
  /** Resolves when the server has answered. */
  readonly check: () => Promise<void>
  readonly destroy: () => void
  /** It was open and is not any more. */
  readonly handleLost: () => void
  /** It leaves a command without an answer. Default: it is lost then. */
  readonly handleSilence?: (() => void) | undefined
  readonly answerTimeoutMs: number
  readonly heartbeatMs: number
}

/**
 * One life of a connection, for commands or for live entries:
 *
 *     opening ──> open ──> ended
 *        └──────────────────^
 *
 * It is opened within a time, checked when nothing was answered for a while, and ends once: a connection that has died silently
 * brings nothing, and nothing is what an idle one brings too.
 */
export class Link {
  /** Rejects when it cannot be opened, or takes too long. */
  readonly opened: Promise<void>
  readonly #ports: LinkPorts
  #state: "opening" | "open" | "ended" = "opening"
  #heartbeat: NodeJS.Timeout | undefined
  /** Whether anything was answered since the last heartbeat. */
  #isAnswering = true
  #isChecking = false

  constructor(ports: LinkPorts) {
    this.#ports = ports
    this.opened = this.#open()
    this.opened.catch(() => undefined)
  }

  /** The answer, or a failure when it takes too long. */
  async answered<T>(answer: Promise<T>): Promise<T> {
    const { answerTimeoutMs, handleSilence } = this.#ports
    const answered = await within(answer, answerTimeoutMs, () => {
      if (this.#state === "open") (handleSilence ?? (() => this.lose()))()
      return unavailable(`Redis has not answered for ${answerTimeoutMs} ms`)
    })
    this.#isAnswering = true
    return answered
  }

  /** Asks the server whether it is there. What its silence means is decided above. */
  async check(): Promise<void> {
    if (this.#isChecking || this.#state !== "open") return
    this.#isChecking = true
    try {
      await this.answered(this.#ports.check())
    } finally {
      this.#isChecking = false
    }
  }

  /** It is of no use any more. */
  lose(): void {
    if (this.#state !== "open") return
    this.end()
    this.#ports.handleLost()
  }

  /** Ends it, and reports nothing. */
  end(): void {
    if (this.#state === "ended") return
    this.#state = "ended"
    clearInterval(this.#heartbeat)
    this.#ports.destroy()
  }

  async #open(): Promise<void> {
    const { open, answerTimeoutMs, heartbeatMs } = this.#ports
    try {
      await within(open(), answerTimeoutMs, () => unavailable("Redis takes connections, but does not answer"))
    } catch (error) {
      this.end()
      throw error
    }
    if (this.#state === "ended") throw unavailable("The connection to Redis was closed")
    this.#state = "open"
    this.#heartbeat = setInterval(() => {
      // a check that fails without silence says nothing of the connection: see `Connection`
      if (!this.#isAnswering) this.check().catch(() => undefined)
      this.#isAnswering = false
    }, heartbeatMs)
  }
}
