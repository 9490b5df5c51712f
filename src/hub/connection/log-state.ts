import type { Log } from "../../log/log.ts"
import type { HoldfastError } from "../../protocol/error.ts"
import { Encoded } from "../channel/encoded.ts"
import type { Connection } from "./connection.ts"
import type { Connections } from "./connections.ts"

/** Whether the log can be reached, and who is told of it: every client, once per change. */
export class LogState {
  readonly #connections: Connections
  readonly #stop: () => void
  readonly #awaited = new Set<() => void>()
  #failure: HoldfastError | undefined

  constructor(log: Log, connections: Connections) {
    this.#connections = connections
    this.#stop = log.watchAvailability?.((failure) => this.#handle(failure)) ?? (() => {})
  }

  /** Why the log cannot be reached; undefined when it can. */
  get failure(): HoldfastError | undefined {
    return this.#failure
  }

  /** Resolves as soon as the log cannot be reached. */
  unreachable(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#failure === undefined) this.#awaited.add(resolve)
      else resolve()
    })
  }

  /** Tells who was just let in, unless all is well. */
  greet(connection: Connection): void {
    if (this.#failure !== undefined) connection.send({ type: "log", available: false })
  }

  close(): void {
    this.#stop()
  }

  #handle(failure: HoldfastError | undefined): void {
    const wasAvailable = this.#failure === undefined
    this.#failure = failure
    const available = failure === undefined
    if (available === wasAvailable) return
    if (!available) {
      for (const resolve of this.#awaited) resolve()
      this.#awaited.clear()
    }
    const message = new Encoded({ type: "log", available })
    for (const { state, outlet } of this.#connections) {
      if (state === "open") outlet.write(message.frame(outlet.link.encoding))
    }
  }
}
