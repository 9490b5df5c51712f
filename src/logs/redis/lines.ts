import type { Connection } from "./connection.ts"
import { within } from "./deadline.ts"
import { unavailable } from "./failure.ts"
import { Link } from "./link.ts"
import type { Line, MessageListener } from "./session.ts"

export interface LinesPorts {
  readonly connection: Connection
  readonly listener: MessageListener
  readonly heartbeatMs: number
  readonly answerTimeoutMs: number
  /** These subscriptions are gone: what was told since may be missing. */
  readonly handleLost: (lives: readonly string[]) => void
}

interface OpenLine {
  readonly line: Line
  readonly link: Link
  readonly lives: Set<string>
}

/** The connections that live entries come through: one per server that has channels which are watched here. */
export class Lines {
  readonly #ports: LinesPorts
  readonly #byServer = new Map<string, OpenLine>()
  readonly #byLive = new Map<string, OpenLine>()
  #isClosed = false

  constructor(ports: LinesPorts) {
    this.#ports = ports
  }

  /** @throws what the client library throws */
  async subscribe(partition: number, live: string, untilMs: number): Promise<void> {
    const { connection, answerTimeoutMs, listener } = this.#ports
    const session = await connection.session(untilMs)
    const { server, line } = await within(session.route(partition), answerTimeoutMs, () =>
      unavailable("No server of Redis tells of this channel"),
    )
    if (this.#isClosed) throw unavailable("The log was closed")
    const open = this.#byServer.get(server) ?? this.#open(server, line())
    await open.link.opened
    await open.link.answered(open.line.subscribe(live, listener))
    if (this.#byServer.get(server) !== open) throw unavailable("The connection to Redis was lost")
    open.lives.add(live)
    this.#byLive.set(live, open)
  }

  unsubscribe(live: string): void {
    const open = this.#forget(live)
    // If it fails, the line is lost, and the subscription with it.
    open?.line.unsubscribe(live, this.#ports.listener).catch(() => undefined)
  }

  /** Makes all connections anew: those that there are lead to the wrong server. */
  restart(): void {
    for (const { link } of [...this.#byServer.values()]) link.lose()
  }

  close(): void {
    this.#isClosed = true
    for (const { link } of this.#byServer.values()) link.end()
    this.#byServer.clear()
    this.#byLive.clear()
  }

  #forget(live: string): OpenLine | undefined {
    const open = this.#byLive.get(live)
    this.#byLive.delete(live)
    open?.lives.delete(live)
    return open
  }

  #open(server: string, line: Line): OpenLine {
    const { answerTimeoutMs, heartbeatMs, handleLost } = this.#ports
    const handleMoved = (live: string) => {
      if (this.#forget(live)) handleLost([live])
    }
    const link: Link = new Link({
      open: () => line.open({ handleLost: () => link.lose(), handleMoved }),
      check: () => line.ping(),
      destroy: () => line.destroy(),
      handleLost: () => this.#lose(server, open),
      answerTimeoutMs,
      heartbeatMs,
    })
    const open: OpenLine = { line, link, lives: new Set() }
    this.#byServer.set(server, open)
    link.opened.catch(() => this.#lose(server, open))
    return open
  }

  #lose(server: string, open: OpenLine): void {
    if (this.#byServer.get(server) !== open) return
    this.#byServer.delete(server)
    for (const live of open.lives) this.#byLive.delete(live)
    if (open.lives.size > 0) this.#ports.handleLost([...open.lives])
  }
}
