import type { Codec } from "../protocol/codec.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { ClientMessage, Result, ServerMessage, Welcome } from "../protocol/message.ts"
import { type Clock, NEVER_MS } from "./clock.ts"
import { type ConnectionOptions, createConnection } from "./connection.ts"
import type { ClientEvents, Face } from "./face.ts"
import { createLateLine } from "./late-line.ts"
import { Outbox, type Request, toError, tooLarge } from "./outbox.ts"
import type { OutboxStore } from "./outbox-store.ts"
import { restore } from "./restore.ts"
import type { Subscription } from "./subscription.ts"
import { createDesk, type Desk, Subscriptions } from "./subscriptions.ts"
import type { Line, Transport, Wire } from "./transport.ts"
import { createTurns } from "./turns.ts"
import { wiresOf } from "./wires.ts"

/** What the machines are bound to. */
export interface DriverPorts {
  /** The best first. */
  readonly transports: readonly Transport[]
  readonly clock: Clock
  readonly codec: Codec
  readonly store: OutboxStore | undefined
  readonly fetchToken: () => string | Promise<string>
  readonly tell: <E extends keyof ClientEvents>(event: E, ...told: ClientEvents[E]) => void
}

export interface DriverOptions extends ConnectionOptions {
  readonly session: string
  readonly outboxEntriesMax: number
}

type Unnumbered<M> = M extends { readonly id: number } ? Omit<M, "id"> : never
/** A message that is answered; the driver gives it its id. */
export type RequestMessage = Unnumbered<ClientMessage>

export interface Driver {
  readonly face: Face
  readonly nudge: () => void
  readonly suspend: () => void
  readonly close: () => void
  /**
   * Sends a message and resolves with its answer: over the next lines too, as `repeat` says, until it is answered. `make` is called
   * again only where it is sent anew. Without `timeoutMs` it has no deadline. `limit`: how many messages may wait, if not as many as usual.
   */
  readonly request: (
    make: () => RequestMessage,
    repeat: Request["repeat"],
    timeoutMs?: number,
    limit?: number,
  ) => Promise<Result>
  /**
   * Sends a message that gets no answer, or drops it when it cannot leave now.
   * @throws HoldfastError `invalid_value`, `message_too_large`, `closed`
   */
  readonly signal: (message: ClientMessage) => void
  /** @throws HoldfastError `closed` */
  readonly add: (subscription: Subscription) => void
  /** The subscription may want something of the server. */
  readonly wake: () => void
  readonly remove: (subscription: Subscription) => void
  /** The server's time, in ms since 1970. */
  readonly serverNowMs: () => number
  /** Tells somebody something, when everything is in place. */
  readonly later: (news: () => void) => void
  /** Asks again after a while, over whichever line is up then. */
  readonly retry: (ask: () => void) => void
}

/** A line, what was asked for over it, and what carries it. */
interface Held {
  readonly transport: Transport
  line?: Line
  desk: Desk
}

/** The first message must not become too large: more subscriptions than this follow on their own. */
const HELLO_SUBSCRIPTIONS_MAX = 100
/** How long to wait before something is asked for again that the log could not serve, in ms. */
const RETRY_MS = 1_000
/** Signals are dropped while more than so many bytes wait to leave. */
const SIGNAL_BUFFER_BYTES_MAX = 64 * 1024

/** Binds the machines to transports and a clock: hands in what happens, and does what they ask for. */
export function createDriver(options: DriverOptions, ports: DriverPorts): Driver {
  const { clock, codec, store, transports } = ports
  const outbox = new Outbox(options.outboxEntriesMax, store)
  const subscriptions = new Subscriptions()
  let { session } = options
  /** While what an earlier page left is being read. */
  let opening: Promise<void> | undefined
  /** The line that is being opened, and the one that is up. */
  let next: Held | undefined
  let current: Held | undefined
  /** The line that was up last, until what it means that it is not has been seen to. */
  let up: Held | undefined
  let transport: Transport | undefined
  let logTold: ServerMessage | undefined
  let logAvailable = true
  let lastId = 0
  let toldPending = 0
  /** When the client was let in first, by the server's clock. */
  let since: number | undefined
  let dirty = false

  const { input, inputLater, later } = createTurns(clock, {
    // behind each input, for the machines may have something to say by then
    handleEnd: () => work(),
    nextTimeoutMs: () => connection.nextTimeoutMs(),
    handleTimeout: (nowMs) => connection.handleTimeout(nowMs),
  })
  const { encode, decode } = wiresOf(codec)
  const tell: DriverPorts["tell"] = (event, ...told) => later(() => ports.tell(event, ...told))
  const refuseWhenClosed = () => {
    if (connection.status === "closed") throw closed()
  }

  const serverNowMs = () => clock.monotonic() + connection.serverAheadMs

  /** Sends what the machines have to say. */
  const work = () => {
    const line = current
    let wires: Wire[] = []
    if (line) {
      if (dirty) {
        dirty = false
        for (const channel of subscriptions.takeGone(line.desk)) send({ type: "unsubscribe", channel })
        for (const request of subscriptions.takeRequests(line.desk, NEVER_MS)) {
          send({ type: "subscribe", ...request })
        }
      }
      wires = outbox.takeWires(line, connection.welcome as Welcome, serverNowMs())
    }
    const sendAll = () => {
      for (const wire of wires) if (line === current) transmit(line, wire)
    }
    if (store) store.flush(sendAll)
    else sendAll()
    if (outbox.size === toldPending) return
    toldPending = outbox.size
    tell("pending", toldPending)
  }

  const transmit = (held: Held | undefined, wire: Wire) => {
    try {
      held?.line?.send(wire)
    } catch (error) {
      connection.handleLineError(error, held === next, clock.monotonic())
    }
  }
  const send = (message: object) => transmit(current, encode(message))

  /** The one before. */
  const late = createLateLine(outbox, { decode, inputLater, handleError: (error) => tell("error", error) })

  /** Over whichever line is up then: a line that was handed over was not down. */
  const retryAnywhere = (ask: () => void) => {
    inputLater(RETRY_MS, () => {
      dirty = true
      ask()
    })
  }
  const retry = (ask: () => void) => {
    const line = current
    inputLater(RETRY_MS, () => {
      if (line !== current) return
      dirty = true
      ask()
    })
  }

  const handleMessage = (message: ServerMessage, { desk }: Held) => {
    const { type } = message
    if (type === "error" && outbox.isDoubtful(message)) {
      const sendAgain = () => {
        if (!outbox.sendAgain(message.id as number)) retry(sendAgain)
      }
      retry(sendAgain)
    } else if (type === "result" || type === "error") {
      const expected = outbox.handleAnswer(message)
      if (!expected && type === "error") tell("error", toError(message))
    } else if (type === "log") {
      logTold = message
      setLogAvailable(message.available)
    } else if (type === "welcome") {
      since ??= message.now
      // right behind a welcome, which each poll brings, it is said again if it is not
      const before = logTold
      if (!logAvailable) inputLater(0, () => logTold === before && setLogAvailable(true))
    } else if (type !== "signal" || message.from !== connection.welcome?.member) {
      // one's own signals are no news
      dirty = subscriptions.handleMessage(message, desk, retryAnywhere) || dirty
    }
  }
  const setLogAvailable = (available: boolean) => {
    if (available === logAvailable) return
    logAvailable = available
    tell("log", available)
  }

  const openLine = (index: number) => {
    const transport = transports[index] as Transport
    const held: Held = { transport, desk: createDesk() }
    // a line that was given up may still speak; nobody listens
    const listen = (handle: (isNext: boolean, nowMs: number) => void) => {
      if (held === next || held === current) input((nowMs) => handle(held === next, nowMs))
    }
    next = held
    try {
      held.line = transport.open(options.url, {
        onOpen: (brief) => listen(() => sendHello(held, brief)),
        onMessage: (wire) => {
          if (late.is(held)) input(() => late.handleMessage(wire))
          listen((isNext, nowMs) => {
            try {
              const message = decode(wire)
              connection.handleMessage(message, isNext, nowMs)
              handleMessage(message, held)
            } catch (error) {
              connection.handleLineError(error, isNext, nowMs)
            }
          })
        },
        onClose: (code, reason) => {
          if (late.is(held)) input(late.end)
          listen((isNext, nowMs) => {
            if (isNext) next = undefined
            else current = undefined
            connection.handleLineClose(code, reason, isNext, nowMs)
          })
        },
      })
    } catch (error) {
      connection.handleLineError(error, true, clock.monotonic())
    }
  }

  const sendHello = (held: Held, brief = false) => {
    held.desk = createDesk()
    const hello = {
      type: "hello",
      session,
      token: connection.token,
      subscriptions: subscriptions.takeRequests(held.desk, brief ? NEVER_MS : HELLO_SUBSCRIPTIONS_MAX),
      presence: brief ? subscriptions.presence() : undefined,
      since,
    }
    transmit(held, encode(hello))
  }

  const connection = createConnection(options, {
    fetchToken: () => {
      new Promise<string>((resolve) => resolve(ports.fetchToken())).then(
        (token) => input((nowMs) => connection.handleToken(token, nowMs)),
        (error: unknown) => input((nowMs) => connection.handleTokenError(error, nowMs)),
      )
    },
    openLine,
    closeLine: (isNext, code) => {
      const held = isNext ? next : current
      if (isNext) next = undefined
      else current = undefined
      held?.line?.close(code, "")
    },
    takeOver: () => {
      const before = current
      up = current = next
      next = undefined
      dirty = true
      // only now, as a line may tell at once that it is closed
      if (before) late.take(before)
      subscriptions.handleUp()
      if (transport === current?.transport) return
      transport = current?.transport
      tell("transport", transport?.name as string)
    },
    send,
    handleStatus: (status, error) => {
      if (status === "closed") {
        late.end()
        outbox.handleEnd(error ?? closed())
        subscriptions.handleEnd(error)
        store?.close()
      } else if (status !== "open" && up) {
        outbox.handleDown(up)
        subscriptions.handleDown()
        up = undefined
      }
      tell("status", status)
    },
    handleError: (error) => tell("error", error),
  })

  if (store) {
    const handleError = (error: unknown) => tell("error", error)
    const add = (request: Omit<Request, "id" | "wire">, message: object) => {
      const id = ++lastId
      outbox.add({ ...request, id, wire: encode({ ...message, id }) }, NEVER_MS)
    }
    opening = restore(store, session, { decode: codec.decode, add, handleError }).then((kept) => {
      session = kept
      opening = undefined
      input(connection.reconnect)
    })
  } else input(connection.connect)
  /** Nothing can be done before that. */
  const command = (handle: (nowMs: number) => void) => () => {
    if (!opening) input(handle)
  }

  const face: Face = {
    get status() {
      return connection.status
    },
    get retryInMs() {
      if (connection.status !== "waiting") return undefined
      return Math.max(0, connection.retryAtMs - clock.monotonic())
    },
    get member() {
      return connection.welcome?.member
    },
    get transport() {
      return transport?.name
    },
    get logAvailable() {
      return logAvailable
    },
    get pending() {
      return outbox.size
    },
    reconnect: command(connection.reconnect),
  }
  return {
    face,
    nudge: command(connection.nudge),
    suspend: command(connection.suspend),
    close: () => input(() => connection.close()),
    request: (make, repeat, timeoutMs, limit) =>
      new Promise((resolve, reject) => {
        refuseWhenClosed()
        const id = ++lastId
        const message = make()
        const wire = encode({ ...message, id })
        const encodeNow = () => encode({ ...make(), id })
        const cancel =
          timeoutMs &&
          inputLater(timeoutMs, () => outbox.settle(id, new HoldfastError("timeout", "No answer in time")))
        const settle = (outcome: Result | HoldfastError) => {
          if (cancel) cancel()
          if (outcome instanceof HoldfastError) reject(outcome)
          else resolve(outcome)
        }
        const add = () => {
          try {
            refuseWhenClosed()
            input(() => outbox.add({ id, channel: message.channel, wire, encodeNow, repeat, settle }, limit))
          } catch (error) {
            settle(error as HoldfastError)
          }
        }
        if (opening) opening.then(add)
        else add()
      }),
    signal: (message) => {
      refuseWhenClosed()
      const wire = encode(message)
      if (!current?.line || current.line.bufferedBytes() > SIGNAL_BUFFER_BYTES_MAX) return
      const excess = tooLarge(wire, (connection.welcome as Welcome).messageBytesMax)
      if (excess) throw excess
      input(() => transmit(current, wire))
    },
    add: (subscription) => {
      refuseWhenClosed()
      subscriptions.add(subscription)
    },
    wake: () =>
      input(() => {
        dirty = true
      }),
    remove: (subscription) =>
      input(() => {
        dirty = true
        subscriptions.remove(subscription)
      }),
    serverNowMs,
    later,
    retry: retryAnywhere,
  }
}

/** What is told to whoever uses a client after its end. */
export function closed(): HoldfastError {
  return new HoldfastError("closed", "The client was closed")
}
