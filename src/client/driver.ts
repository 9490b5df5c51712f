import type { Codec } from "../protocol/codec.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { ClientMessage, Result, ServerMessage, Welcome } from "../protocol/message.ts"
import { type Clock, NEVER_MS } from "./clock.ts"
import { type Action, Connection, type ConnectionOptions, type ConnectionStatus } from "./connection.ts"
import { Outbox, toError, tooLarge } from "./outbox.ts"
import { type Subscriber, Subscriptions } from "./subscriptions.ts"
import type { Line, Transport, Wire } from "./transport.ts"

/** What the machines are bound to. */
export interface DriverPorts {
  readonly transport: Transport
  readonly clock: Clock
  readonly codec: Codec
  readonly fetchToken: () => string | Promise<string>
  readonly handleStatus: (status: ConnectionStatus) => void
  readonly handleError: (error: unknown) => void
}

export interface DriverOptions extends ConnectionOptions {
  readonly url: string
  readonly session: string
  readonly outboxEntriesMax: number
}

type Unnumbered<M> = M extends { readonly id: number } ? Omit<M, "id"> : never
/** A message that is answered; the driver gives it its id. */
export type RequestMessage = Unnumbered<ClientMessage>

/** The first message must not become too large: more subscriptions than this follow on their own. */
const HELLO_SUBSCRIPTIONS_MAX = 100
/** How long to wait before a channel is asked for again whose log could not be read, in ms. */
const RESUBSCRIBE_MS = 1_000
/** Signals are dropped while more than so many bytes wait to leave. */
const SIGNAL_BUFFER_BYTES_MAX = 64 * 1024

/**
 * Binds the machines to a transport and a clock: hands in what happens, does what they ask for, wakes them in time, and
 * only then tells the listeners, so that these find everything in place and may use the client at will.
 */
export class Driver {
  readonly #options: DriverOptions
  readonly #ports: DriverPorts
  readonly #connection: Connection
  readonly #outbox: Outbox
  readonly #subscriptions = new Subscriptions()
  #line: Line | undefined
  #up = false
  #lastId = 0
  #toldStatus: ConnectionStatus = "connecting"
  #working = false
  #telling = false
  readonly #news: (() => void)[] = []
  #wakeAtMs = NEVER_MS
  #cancelWake: (() => void) | undefined

  constructor(options: DriverOptions, ports: DriverPorts) {
    this.#options = options
    this.#ports = ports
    this.#connection = new Connection(options)
    this.#outbox = new Outbox(options.outboxEntriesMax)
  }

  get status(): ConnectionStatus {
    return this.#connection.status
  }

  get retryInMs(): number | undefined {
    if (this.status !== "waiting") return undefined
    return Math.max(0, this.#connection.nextTimeoutMs() - this.#ports.clock.monotonic())
  }

  get welcome(): Welcome | undefined {
    return this.#connection.welcome
  }

  connect(): void {
    this.#input((nowMs) => this.#connection.connect(nowMs))
  }

  reconnect(): void {
    this.#input((nowMs) => this.#connection.reconnect(nowMs))
  }

  close(): void {
    this.#input(() => this.#connection.close())
  }

  /**
   * Sends a message and resolves with its answer. `repeat`: also over the next lines, until it is answered. Without
   * `timeoutMs` it has no deadline.
   */
  request(message: RequestMessage, repeat: boolean, timeoutMs = NEVER_MS): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#refuseWhenClosed()
      const id = ++this.#lastId
      const wire = this.#encode({ ...message, id } as ClientMessage)
      const settle = (outcome: Result | HoldfastError) =>
        outcome instanceof HoldfastError ? reject(outcome) : resolve(outcome)
      this.#input((nowMs) => this.#outbox.add({ id, wire, repeat, deadlineMs: nowMs + timeoutMs, settle }))
    })
  }

  /** Sends again what belongs to a connection. If it is refused now, that is told as an error of the client. */
  repeat(message: RequestMessage): void {
    try {
      this.#send({ ...message, id: ++this.#lastId } as ClientMessage)
    } catch (error) {
      // it could travel the first time, so its holder has changed it since
      this.#report(error)
    }
  }

  /**
   * Sends a message that gets no answer, or drops it when it cannot leave now.
   * @throws HoldfastError `invalid_value`, `message_too_large`, `closed`
   */
  signal(message: ClientMessage): void {
    this.#refuseWhenClosed()
    const wire = this.#encode(message)
    if (!this.#up || this.#line === undefined || this.#line.bufferedBytes() > SIGNAL_BUFFER_BYTES_MAX) return
    const excess = tooLarge(wire, this.#messageBytesMax())
    if (excess !== undefined) throw excess
    this.#line.send(wire)
  }

  /** @throws HoldfastError `closed` */
  add(subscriber: Subscriber): void {
    this.#refuseWhenClosed()
    this.#subscriptions.add(subscriber)
  }

  subscribe(subscriber: Subscriber): void {
    subscriber.subscription.subscribe()
    this.#input(() => this.#subscriptions.touch(subscriber))
  }

  remove(subscriber: Subscriber): void {
    const { channel } = subscriber.subscription
    this.#input(() => {
      this.#subscriptions.remove(subscriber)
      if (this.#up && subscriber.subscription.requested) this.#send({ type: "unsubscribe", channel })
    })
  }

  #refuseWhenClosed(): void {
    if (this.status === "closed") throw closed()
  }

  #input(handle: (nowMs: number) => void): void {
    handle(this.#ports.clock.monotonic())
    if (this.#working) return
    this.#working = true
    this.#work()
    this.#working = false
    this.#arm()
    this.#tell()
  }

  /** Does what the machines ask for, until they ask for nothing more. */
  #work(): void {
    const { status } = this
    for (let actions = this.#connection.takeActions(); ; actions = this.#connection.takeActions()) {
      this.#handleStatus()
      for (const action of actions) this.#perform(action)
      if (this.#up) {
        const requests = this.#subscriptions.takeRequests(Number.POSITIVE_INFINITY)
        for (const request of requests) this.#send({ type: "subscribe", ...request })
        for (const wire of this.#outbox.takeWires(this.#messageBytesMax())) this.#line?.send(wire)
      }
      if (actions.length === 0) break
    }
    for (const news of this.#subscriptions.takeChanges()) this.#news.push(news)
    if (status === this.#toldStatus) return
    this.#toldStatus = status
    this.#news.push(() => this.#ports.handleStatus(status))
  }

  /** Tells the other machines what became of the connection. */
  #handleStatus(): void {
    const { status, error } = this.#connection
    const wasUp = this.#up
    this.#up = status === "open"
    if (status === "closed") {
      this.#outbox.handleEnd(error ?? closed())
      this.#subscriptions.handleEnd(error)
    } else if (this.#up && !wasUp) {
      this.#subscriptions.handleUp()
    } else if (wasUp && !this.#up) {
      this.#outbox.handleDown()
      this.#subscriptions.handleDown()
    }
  }

  #perform(action: Action): void {
    switch (action.type) {
      case "fetchToken":
        this.#fetchToken()
        break
      case "openLine":
        this.#openLine()
        break
      case "closeLine":
        this.#line?.close(action.code, action.reason)
        this.#line = undefined
        break
      case "hello":
        this.#sendHello(action.token)
        break
      case "send":
        this.#send(action.message)
        break
      case "report":
        this.#report(action.error)
    }
  }

  #fetchToken(): Promise<void> {
    return new Promise<string>((resolve) => resolve(this.#ports.fetchToken())).then(
      (token) => this.#input((nowMs) => this.#connection.handleToken(token, nowMs)),
      (error: unknown) => this.#input((nowMs) => this.#connection.handleTokenError(error, nowMs)),
    )
  }

  #openLine(): void {
    // a line that was given up may still speak; nobody listens
    const current = (handle: (nowMs: number) => void) => {
      if (this.#line === line) this.#input(handle)
    }
    let line: Line | undefined
    try {
      line = this.#ports.transport.open(this.#options.url, {
        onOpen: () => current(() => this.#connection.handleLineOpen()),
        onMessage: (wire) => current((nowMs) => this.#handleWire(wire, nowMs)),
        onClose: (code, reason) => current((nowMs) => this.#connection.handleLineClose(code, reason, nowMs)),
      })
      this.#line = line
    } catch (error) {
      this.#input((nowMs) => this.#connection.handleLineError(error, nowMs))
    }
  }

  #sendHello(token: string | undefined): void {
    this.#subscriptions.handleDown()
    this.#send({
      type: "hello",
      session: this.#options.session,
      ...(token !== undefined && { token }),
      subscriptions: this.#subscriptions.takeRequests(HELLO_SUBSCRIPTIONS_MAX),
    })
  }

  #handleWire(wire: Wire, nowMs: number): void {
    try {
      const message = this.#ports.codec.decode(wire) as ServerMessage
      this.#connection.handleMessage(message, nowMs)
      this.#handleMessage(message)
    } catch (error) {
      this.#connection.handleLineError(error, nowMs)
    }
  }

  #handleMessage(message: ServerMessage): void {
    if (message.type === "result" || message.type === "error") {
      const expected = this.#outbox.handleAnswer(message)
      if (!expected && message.type === "error") this.#report(toError(message))
    } else if ("channel" in message && this.#subscriptions.isStale(message.channel)) {
      // the channel was closed, and perhaps opened again, before this answer came
      return
    } else if (message.type === "unsubscribed" && message.code === "log_unavailable") {
      // no refusal, only bad luck
      this.#ports.clock.after(RESUBSCRIBE_MS, () =>
        this.#input(() => this.#subscriptions.handleRetry(message.channel)),
      )
    } else if (
      message.type !== "signal" ||
      message.from === undefined ||
      message.from !== this.welcome?.member
    ) {
      // one's own signals are no news
      this.#subscriptions.handleMessage(message)
    }
  }

  #report(error: unknown): void {
    this.#news.push(() => this.#ports.handleError(error))
  }

  #messageBytesMax(): number {
    return (this.welcome as Welcome).messageBytesMax
  }

  #send(message: ClientMessage): void {
    this.#line?.send(this.#encode(message))
  }

  #encode(message: ClientMessage): Wire {
    try {
      return this.#ports.codec.encode(message)
    } catch (error) {
      const { code, message: text, path = "" } = error as HoldfastError
      // what the caller passed is the payload, not the message around it
      throw new HoldfastError(code, text, { path: path.replace(/^data\.?/, "") })
    }
  }

  /** Wakes the machines when the first of them has to be. A timer that comes too early is left, as it costs less. */
  #arm(): void {
    const [connection, outbox, { clock }] = [this.#connection, this.#outbox, this.#ports]
    const nextMs = Math.min(connection.nextTimeoutMs(), outbox.nextTimeoutMs())
    const isNever = nextMs === NEVER_MS
    if (nextMs >= this.#wakeAtMs && !isNever) return
    this.#cancelWake?.()
    this.#wakeAtMs = nextMs
    if (isNever) return
    this.#cancelWake = clock.after(Math.max(0, nextMs - clock.monotonic()), () => {
      this.#wakeAtMs = NEVER_MS
      this.#input((nowMs) => {
        connection.handleTimeout(nowMs)
        outbox.handleTimeout(nowMs)
      })
    })
  }

  #tell(): void {
    if (this.#telling) return
    this.#telling = true
    // also what is added meanwhile, behind it
    for (const news of this.#news) news()
    this.#news.length = 0
    this.#telling = false
  }
}

/** What is told to whoever uses a client after its end. */
export function closed(): HoldfastError {
  return new HoldfastError("closed", "The client was closed")
}
