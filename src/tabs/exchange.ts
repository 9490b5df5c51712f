import { type Clock, NEVER_MS } from "../client/clock.ts"
import type { Line, Transport, Wire } from "../client/transport.ts"
import type { Codec } from "../protocol/codec.ts"
import { Relay, type TabPort } from "./relay.ts"

export interface ExchangePorts {
  /** How the server can be reached. The tabs choose, by number. */
  readonly transports: readonly Transport[]
  readonly clock: Clock
  readonly codec: Codec
  /** What an earlier exchange of these tabs had, so that they stay the same member. */
  readonly session: string | undefined
  /** Told the session, to hand it on. */
  readonly handleSession: (session: string) => void
}

/** What a tab does with its line. */
export interface TabEnd {
  readonly handleWire: (wire: Wire) => void
  /** The tab has closed the line; 1006 when it died. */
  readonly handleClose: (code: number, reason: string) => void
}

/** Where the lines of the tabs meet: binds relays to a transport and a clock. */
export class Exchange {
  readonly #ports: ExchangePorts
  /** The relay that takes whoever comes, by transport and URL. */
  readonly #current = new Map<string, Bound>()
  /** Those that live, also while they only serve whom they have. */
  readonly #all = new Set<Bound>()
  #session: string | undefined

  constructor(ports: ExchangePorts) {
    this.#ports = ports
    this.#session = ports.session
  }

  /** @throws TypeError when there is no such transport, as when a tab is of another version of the app */
  open(by: number, url: string, port: TabPort): TabEnd {
    const bound = this.#relayTo(by, url)
    const tab = bound.relay.add(port)
    return {
      handleWire: (wire) => bound.input((nowMs) => bound.relay.handleTabWire(tab, wire, nowMs)),
      handleClose: (code, reason) =>
        bound.input((nowMs) => bound.relay.handleTabClose(tab, code, reason, nowMs)),
    }
  }

  /** Gives up all lines. */
  close(code: number): void {
    for (const { relay, input } of [...this.#all]) input(() => relay.close(code, ""))
  }

  #relayTo(by: number, url: string): Bound {
    const key = `${by} ${url}`
    const current = this.#current.get(key)
    if (current?.relay.isTaking) return current
    const { transports, clock, codec } = this.#ports
    const transport = transports[by]
    if (transport === undefined) throw new TypeError(`There is no transport ${by} here`)
    const bound = bind(url, transport, clock, {
      codec,
      session: (drawn) => {
        this.#session ??= drawn
        this.#ports.handleSession(this.#session)
        return this.#session
      },
      handleEnd: () => {
        this.#all.delete(bound)
        if (this.#current.get(key) === bound) this.#current.delete(key)
      },
    })
    this.#all.add(bound)
    this.#current.set(key, bound)
    return bound
  }
}

interface Bound {
  readonly relay: Relay
  /** Hands something in, and sees when the relay has to be woken. */
  readonly input: (handle: (nowMs: number) => void) => void
}

interface BindPorts {
  readonly codec: Codec
  readonly session: (drawn: string) => string
  readonly handleEnd: () => void
}

/** A relay with a line to the server of its own. */
function bind(
  url: string,
  transport: Transport,
  clock: Clock,
  { codec, session, handleEnd }: BindPorts,
): Bound {
  let cancelWake: (() => void) | undefined
  let wakeAtMs = NEVER_MS
  let ended = false
  const relay = new Relay({
    codec,
    session,
    nowMs: () => clock.monotonic(),
    send: (wire) => line.send(wire),
    bufferedBytes: () => line.bufferedBytes(),
    close: (code, reason) => line.close(code, reason),
  })
  const arm = () => {
    const nextMs = relay.isClosed ? NEVER_MS : relay.nextTimeoutMs()
    // one that comes too early finds nothing to do, and costs less than another timer with each message
    if (nextMs >= wakeAtMs && nextMs !== NEVER_MS) return
    cancelWake?.()
    wakeAtMs = nextMs
    if (nextMs === NEVER_MS) return
    cancelWake = clock.after(Math.max(0, nextMs - clock.monotonic()), () => {
      wakeAtMs = NEVER_MS
      input((nowMs) => relay.handleTimeout(nowMs))
    })
  }
  const input = (handle: (nowMs: number) => void) => {
    if (!relay.isClosed) handle(clock.monotonic())
    arm()
    if (!relay.isClosed || ended) return
    ended = true
    handleEnd()
  }
  const line: Line = transport.open(url, {
    onOpen: (isBrief) => input((nowMs) => relay.handleOpen(nowMs, isBrief)),
    onMessage: (wire) => input((nowMs) => relay.handleWire(wire, nowMs)),
    onClose: (code, reason) => input(() => relay.handleClose(code, reason)),
  })
  return { relay, input }
}
