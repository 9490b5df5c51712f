import type { Codec } from "../protocol/codec.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { ClientMessage, Result, ServerMessage, Welcome } from "../protocol/message.ts"
import { type Clock, NEVER_MS } from "./clock.ts"
import {
  Connection,
  type ConnectionOptions,
  type ConnectionPorts,
  type ConnectionStatus,
} from "./connection.ts"
import { Outbox, type Request, toError, tooLarge } from "./outbox.ts"
import type { OutboxStore } from "./outbox-store.ts"
import type { Subscription } from "./subscription.ts"
import { Subscriptions } from "./subscriptions.ts"
import type { Line, Transport, Wire } from "./transport.ts"

/** What the machines are bound to. */
export interface DriverPorts {
  readonly transport: Transport
  readonly clock: Clock
  readonly codec: Codec
  readonly store: OutboxStore | undefined
  readonly fetchToken: () => string | Promise<string>
  readonly handleStatus: (status: ConnectionStatus) => void
  /** Told how many messages wait for their answer. */
  readonly handlePending: (count: number) => void
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
/** How long to wait before something is asked for again that the log could not serve, in ms. */
const RETRY_MS = 1_000
/** Signals are dropped while more than so many bytes wait to leave. */
const SIGNAL_BUFFER_BYTES_MAX = 64 * 1024

/**
 * Binds the machines to a transport and a clock: hands in what happens, does what they ask for, wakes them in time, and
 * only then tells the listeners, so that these find everything in place and may use the client at will.
 */
export class Driver implements ConnectionPorts {
  readonly #options: DriverOptions
  readonly #ports: DriverPorts
  readonly #connection: Connection
  readonly #outbox: Outbox
  readonly #subscriptions = new Subscriptions()
  #session: string
  /** While what an earlier page left is being read. */
  #opening: Promise<void> | undefined
  #line: Line | undefined
  #up = false
  #lastId = 0
  #toldPending = 0
  #working = false
  #telling = false
  readonly #news: (() => void)[] = []
  #wakeAtMs = NEVER_MS
  #cancelWake: (() => void) | undefined

  constructor(options: DriverOptions, ports: DriverPorts) {
    this.#options = options
    this.#ports = ports
    this.#session = options.session
    this.#outbox = new Outbox(options.outboxEntriesMax, ports.store)
    this.#connection = new Connection(options, this)
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

  get pending(): number {
    return this.#outbox.size
  }

  connect(): void {
    const { store } = this.#ports
    if (store === undefined) this.#input((nowMs) => this.#connection.connect(nowMs))
    else this.#opening = this.#open(store)
  }

  reconnect(): void {
    if (this.#opening === undefined) this.#input((nowMs) => this.#connection.reconnect(nowMs))
  }

  close(): void {
    this.#input(() => this.#connection.close())
  }

  /**
   * Sends a message and resolves with its answer: over the next lines too, as `repeat` says, until it is answered.
   * Without `timeoutMs` it has no deadline. `limit`: how many messages may wait, if not as many as usual.
   */
  request(
    message: RequestMessage,
    repeat: Request["repeat"],
    timeoutMs?: number,
    limit?: number,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#refuseWhenClosed()
      const id = ++this.#lastId
      const wire = this.#encode({ ...message, id })
      const cancel =
        timeoutMs &&
        this.#inputLater(timeoutMs, () =>
          this.#outbox.settle(id, new HoldfastError("timeout", "No answer within the deadline")),
        )
      const settle = (outcome: Result | HoldfastError) => {
        if (cancel) cancel()
        if (outcome instanceof HoldfastError) reject(outcome)
        else resolve(outcome)
      }
      const add = () => {
        try {
          this.#refuseWhenClosed()
          this.#input(() => this.#outbox.add({ id, wire, repeat, settle }, limit))
        } catch (error) {
          settle(error as HoldfastError)
        }
      }
      if (this.#opening === undefined) add()
      else this.#opening.then(add)
    })
  }

  /**
   * Sends a message that gets no answer, or drops it when it cannot leave now.
   * @throws HoldfastError `invalid_value`, `message_too_large`, `closed`
   */
  signal(message: ClientMessage): void {
    this.#refuseWhenClosed()
    const wire = this.#encode(message)
    if (!this.#up || this.#line === undefined || this.#line.bufferedBytes() > SIGNAL_BUFFER_BYTES_MAX) return
    const excess = tooLarge(wire, (this.welcome as Welcome).messageBytesMax)
    if (excess !== undefined) throw excess
    this.#input(() => this.#transmit(wire))
  }

  /** @throws HoldfastError `closed` */
  add(subscription: Subscription): void {
    this.#refuseWhenClosed()
    this.#subscriptions.add(subscription)
  }

  /** The subscription may want something of the server. */
  wake(subscription: Subscription): void {
    this.#input(() => this.#subscriptions.wake(subscription))
  }

  remove(subscription: Subscription): void {
    const { channel } = subscription
    this.#input(() => {
      this.#subscriptions.remove(subscription)
      if (this.#up && subscription.requested) this.send({ type: "unsubscribe", channel })
    })
  }

  /** Tells somebody something, when everything is in place. */
  tell(news: () => void): void {
    this.#news.push(news)
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
    this.#tellAll()
  }

  #inputLater(ms: number, handle: (nowMs: number) => void): () => void {
    return this.#ports.clock.after(ms, () => this.#input(handle))
  }

  /** Sends what the machines have to say. */
  #work(): void {
    const { store, clock, handlePending } = this.#ports
    let wires: Wire[] = []
    if (this.#up) {
      for (const request of this.#subscriptions.takeRequests(NEVER_MS)) {
        this.send({ type: "subscribe", ...request })
      }
      const serverMs = clock.monotonic() + this.#connection.serverAheadMs
      wires = this.#outbox.takeWires(this.welcome as Welcome, serverMs)
    }
    const line = this.#line
    const send = () => {
      for (const wire of wires) if (this.#line === line) this.#transmit(wire)
    }
    if (store === undefined) send()
    else store.flush(send)
    const { pending } = this
    if (pending === this.#toldPending) return
    this.#toldPending = pending
    this.tell(() => handlePending(pending))
  }

  /** Tells the other machines what became of the connection. */
  handleStatus(status: ConnectionStatus, error: HoldfastError | undefined): void {
    const wasUp = this.#up
    this.#up = status === "open"
    if (status === "closed") {
      this.#outbox.handleEnd(error ?? closed())
      this.#subscriptions.handleEnd(error)
      this.#ports.store?.close()
    } else if (this.#up) {
      this.#subscriptions.handleUp()
    } else if (wasUp) {
      this.#outbox.handleDown()
      this.#subscriptions.handleDown()
    }
    this.tell(() => this.#ports.handleStatus(status))
  }

  /** Takes over what an earlier page left, before anything else. */
  async #open(store: OutboxStore): Promise<void> {
    const { codec, handleError } = this.#ports
    // nobody holds the promises of that page any more
    const settle = (outcome: object) => {
      if (outcome instanceof HoldfastError) this.handleError(outcome)
    }
    const restore = (message: object, sentAtMs: number | undefined) => {
      const id = ++this.#lastId
      const wire = this.#encode({ ...message, id })
      this.#outbox.add({ id, wire, repeat: "keyed", sentAtMs, settle }, NEVER_MS)
    }
    try {
      this.#session = await store.open({ session: this.#session, decode: codec.decode, restore, handleError })
    } catch (error) {
      this.handleError(error)
    }
    this.#opening = undefined
    this.reconnect()
  }

  fetchToken(): void {
    new Promise<string>((resolve) => resolve(this.#ports.fetchToken())).then(
      (token) => this.#input((nowMs) => this.#connection.handleToken(token, nowMs)),
      (error: unknown) => this.#input((nowMs) => this.#connection.handleTokenError(error, nowMs)),
    )
  }

  closeLine(code: number, reason: string): void {
    this.#line?.close(code, reason)
    this.#line = undefined
  }

  openLine(): void {
    // a line that was given up may still speak; nobody listens
    const current = (handle: (nowMs: number) => void) => {
      if (this.#line === line) this.#input(handle)
    }
    let line: Line | undefined
    try {
      line = this.#ports.transport.open(this.#options.url, {
        onOpen: () => current(() => this.#connection.handleLineOpen()),
        onMessage: (wire) => current((nowMs) => this.#handleWire(wire, nowMs)),
        onClose: (code, reason) =>
          current((nowMs) => {
            this.#line = undefined
            this.#connection.handleLineClose(code, reason, nowMs)
          }),
      })
      this.#line = line
    } catch (error) {
      this.#input((nowMs) => this.#connection.handleLineError(error, nowMs))
    }
  }

  sendHello(token: string | undefined): void {
    this.#subscriptions.handleDown()
    this.send({
      type: "hello",
      session: this.#session,
      token,
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
    if (message.type === "error" && this.#outbox.isDoubtful(message)) {
      this.retry(() => this.#outbox.sendAgain(message.id as number))
    } else if (message.type === "result" || message.type === "error") {
      const expected = this.#outbox.handleAnswer(message)
      if (!expected && message.type === "error") this.handleError(toError(message))
    } else if ("channel" in message && this.#subscriptions.isStale(message.channel)) {
      // the channel was closed, and perhaps opened again, before this answer came
      return
    } else if (message.type === "unsubscribed" && message.code === "log_unavailable") {
      // no refusal, only bad luck; over another line it has been asked for again anyway
      this.retry(() => this.#subscriptions.handleRetry(message.channel))
    } else if (message.type !== "signal" || message.from !== this.welcome?.member) {
      // one's own signals are no news
      this.#subscriptions.handleMessage(message)
    }
  }

  /** Asks again after a while; over another line it was asked again anyway. */
  retry(ask: () => void): void {
    const line = this.#line
    this.#inputLater(RETRY_MS, () => {
      if (this.#line === line) ask()
    })
  }

  handleError(error: unknown): void {
    this.tell(() => this.#ports.handleError(error))
  }

  send(message: object): void {
    this.#transmit(this.#encode(message))
  }

  #transmit(wire: Wire): void {
    try {
      this.#line?.send(wire)
    } catch (error) {
      this.#connection.handleLineError(error, this.#ports.clock.monotonic())
    }
  }

  #encode(message: object): Wire {
    try {
      return this.#ports.codec.encode(message)
    } catch (error) {
      const { code, message: text, path } = error as HoldfastError
      // what the caller passed is the payload, not the message around it
      throw new HoldfastError(code, text, { path: `${path}`.replace(/^data\.?/, "") })
    }
  }

  /** Wakes the connection when it has to be. A timer that comes too early is left, as it costs less. */
  #arm(): void {
    const { clock } = this.#ports
    const nextMs = this.#connection.nextTimeoutMs()
    const isNever = nextMs === NEVER_MS
    if (nextMs >= this.#wakeAtMs && !isNever) return
    this.#cancelWake?.()
    this.#wakeAtMs = nextMs
    if (isNever) return
    this.#cancelWake = this.#inputLater(Math.max(0, nextMs - clock.monotonic()), (nowMs) => {
      this.#wakeAtMs = NEVER_MS
      this.#connection.handleTimeout(nowMs)
    })
  }

  #tellAll(): void {
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
