import type { Connection } from "./connection.ts"
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
  readonly lives: Set<string>
  readonly opened: Promise<void>
  heartbeat: NodeJS.Timeout | undefined
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
    const session = await this.#ports.connection.session(untilMs)
    const { server, line } = await withTimeout(session.route(partition), this.#ports.answerTimeoutMs)
    if (this.#isClosed) throw new Error("the log was closed")
    const open = this.#byServer.get(server) ?? this.#open(server, line())
    await open.opened
    await withTimeout(open.line.subscribe(live, this.#ports.listener), this.#ports.answerTimeoutMs)
    if (this.#byServer.get(server) !== open) throw new Error("the connection was lost")
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
    for (const [server, open] of this.#byServer) this.#lose(server, open)
  }

  close(): void {
    this.#isClosed = true
    for (const { line, heartbeat } of this.#byServer.values()) {
      clearInterval(heartbeat)
      line.destroy()
    }
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
    const lose = () => this.#lose(server, open)
    const handleMoved = (live: string) => {
      if (this.#forget(live)) this.#ports.handleLost([live])
    }
    const open: OpenLine = {
      line,
      lives: new Set(),
      opened: withTimeout(line.open({ handleLost: lose, handleMoved }), this.#ports.answerTimeoutMs).then(
        () => {
          if (this.#byServer.get(server) === open) this.#keepAlive(open, lose)
        },
        (error: unknown) => {
          lose()
          throw error
        },
      ),
      heartbeat: undefined,
    }
    this.#byServer.set(server, open)
    return open
  }

  /**
   * A connection that has died without a word tells nothing, and nothing is what an idle channel tells too. So there is
   * one ping per connection, however many channels are watched.
   */
  #keepAlive(open: OpenLine, lose: () => void): void {
    let isWaiting = false
    open.heartbeat = setInterval(() => {
      if (isWaiting) return lose()
      isWaiting = true
      open.line.ping().then(() => {
        isWaiting = false
      }, lose)
    }, this.#ports.heartbeatMs)
  }

  #lose(server: string, open: OpenLine): void {
    if (this.#byServer.get(server) !== open) return
    this.#byServer.delete(server)
    clearInterval(open.heartbeat)
    open.line.destroy()
    for (const live of open.lives) this.#byLive.delete(live)
    if (open.lives.size > 0) this.#ports.handleLost([...open.lives])
  }
}

async function withTimeout<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Redis has not answered for ${timeoutMs} ms`)), timeoutMs)
  })
  promise.catch(() => undefined)
  try {
    return await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
