import {
  CLOSE_NORMAL,
  CLOSE_PROTOCOL_ERROR,
  CLOSE_TIMEOUT,
  CLOSE_UNAUTHORIZED,
  reconnectsAfter,
} from "../protocol/close.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { ClientMessage, GoAway, ServerMessage, Welcome } from "../protocol/message.ts"
import { type Backoff, backoffMs } from "./backoff.ts"
import { NEVER_MS } from "./clock.ts"

/** `waiting`: between two attempts to connect. `closed`: for good. */
export type ConnectionStatus = "connecting" | "open" | "waiting" | "closed"

/** What the connection asks of its driver. A line that cannot be opened may say so at once. */
export interface ConnectionPorts {
  readonly fetchToken: () => void
  readonly openLine: () => void
  /** If there is one. */
  readonly closeLine: (code: number, reason: string) => void
  readonly sendHello: (token: string | undefined) => void
  readonly send: (message: ClientMessage) => void
  /** Told with every change. `error` is why it is closed, unless that was our wish. */
  readonly handleStatus: (status: ConnectionStatus, error?: HoldfastError) => void
  readonly handleError: (error: unknown) => void
}

export interface ConnectionOptions {
  readonly backoff: Backoff
  /** How long an attempt may take, from the token to the welcome, in ms. */
  readonly connectTimeoutMs: number
  /** Whether the server is shown a token. */
  readonly hasToken: boolean
  readonly random: () => number
}

/** A connection that held for so long was a good one: the next back-off starts small again. */
const STABLE_MS = 5_000
/** A token is renewed this long before it expires, or when a fifth of its life is left, if that is later. */
const RENEWAL_MARGIN_MS = 30_000
/** A token that is as good as expired must not make a busy loop. */
const RENEWAL_MS_MIN = 1_000

/**
 * When to connect, with which token, when to give a line up, and when to come back. Pure: every input brings the time.
 * Inputs are `handleX`; commands are plain verbs.
 */
export class Connection {
  status: ConnectionStatus = "connecting"
  /** What the server said when it let us in last. */
  welcome: Welcome | undefined
  /** The server's clock is so far ahead of ours. */
  serverAheadMs = 0
  readonly #options: ConnectionOptions
  readonly #ports: ConnectionPorts
  #token: string | undefined
  #fetching = false
  #failures = 0
  /** When the attempt is given up, the wait is over, or the line is taken for dead. */
  #deadlineMs = NEVER_MS
  #renewAtMs = NEVER_MS
  #openedAtMs = 0
  #goaway: GoAway | undefined
  /** The server has said on this line what is wrong. */
  #told = false

  constructor(options: ConnectionOptions, ports: ConnectionPorts) {
    this.#options = options
    this.#ports = ports
  }

  nextTimeoutMs(): number {
    return Math.min(this.#deadlineMs, this.#renewAtMs)
  }

  /** Starts an attempt now. */
  connect(nowMs: number): void {
    this.#become("connecting")
    this.#deadlineMs = nowMs + this.#options.connectTimeoutMs
    this.#goaway = undefined
    this.#told = false
    if (this.#token === undefined && this.#options.hasToken) this.#fetchToken()
    else this.#ports.openLine()
  }

  /** Gives the line up and comes back at once, with a fresh token. */
  reconnect(nowMs: number): void {
    if (this.status === "closed") return
    // not 1000, with which this member would leave presence for the moment
    this.#ports.closeLine(CLOSE_TIMEOUT, "reconnect")
    this.#rest()
    this.#token = undefined
    this.#failures = 0
    this.connect(nowMs)
  }

  close(error?: HoldfastError): void {
    this.#ports.closeLine(CLOSE_NORMAL, "")
    this.#rest()
    this.#become("closed", error)
  }

  handleToken(token: string, _nowMs: number): void {
    if (!this.#fetching) return
    this.#fetching = false
    this.#token = token
    if (this.status === "connecting") this.#ports.openLine()
    // the answer says when this one expires
    else this.#ports.send({ type: "token", token })
  }

  handleTokenError(error: unknown, nowMs: number): void {
    if (!this.#fetching) return
    this.#fetching = false
    this.#ports.handleError(error)
    if (this.status === "connecting") this.#wait(nowMs)
    else this.#renewAtMs = nowMs + this.#backoffMs()
  }

  handleLineOpen(): void {
    this.#ports.sendHello(this.#token)
  }

  /** Looks at every message: whatever comes is a sign of life. */
  handleMessage(message: ServerMessage, nowMs: number): void {
    if (message.type === "welcome") {
      this.welcome = message
      this.serverAheadMs = message.now - nowMs
      this.#openedAtMs = nowMs
      this.#become("open")
    }
    if (message.type === "welcome" || message.type === "token") this.#handleExpiry(message, nowMs)
    if (message.type === "ping") this.#ports.send({ type: "pong" })
    if (message.type === "goaway") this.#goaway = message
    if (message.type === "error") this.#told = true
    if (this.status === "open") this.#deadlineMs = nowMs + 2 * (this.welcome as Welcome).heartbeatMs
  }

  /** No line could be opened, or what came over it is none of the protocol. */
  handleLineError(error: unknown, nowMs: number): void {
    this.#ports.handleError(error)
    this.#ports.closeLine(CLOSE_PROTOCOL_ERROR, "")
    this.#wait(nowMs)
  }

  handleLineClose(code: number, reason: string, nowMs: number): void {
    const refused = code === CLOSE_UNAUTHORIZED
    const text = `${code}${reason && ` ${reason}`}`
    if (!reconnectsAfter(code) || this.#goaway?.reconnect === false) {
      this.close(new HoldfastError("closed", `The server ended it: ${text}`))
      return
    }
    if (refused) this.#token = undefined
    if (!this.#told && (refused || this.status === "connecting")) {
      this.#ports.handleError(
        new HoldfastError(refused ? "unauthorized" : "connection_lost", `Cannot connect: ${text}`),
      )
    }
    this.#wait(nowMs)
  }

  handleTimeout(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) {
      if (this.status === "waiting") {
        this.connect(nowMs)
        return
      }
      if (this.status === "connecting") {
        this.#ports.handleError(new HoldfastError("timeout", "Cannot connect: no answer"))
      }
      this.#ports.closeLine(CLOSE_TIMEOUT, "")
      this.#wait(nowMs)
    } else if (nowMs >= this.#renewAtMs) {
      this.#renewAtMs = NEVER_MS
      this.#fetchToken()
    }
  }

  #handleExpiry({ expiresAt = NEVER_MS, now }: Pick<Welcome, "expiresAt" | "now">, nowMs: number): void {
    if (!this.#options.hasToken) return
    const lifetimeMs = expiresAt - now
    this.#renewAtMs = nowMs + Math.max(RENEWAL_MS_MIN, lifetimeMs - RENEWAL_MARGIN_MS, lifetimeMs * 0.8)
  }

  #wait(nowMs: number): void {
    if (this.status === "open" && nowMs - this.#openedAtMs >= STABLE_MS) this.#failures = 0
    this.#rest()
    this.#deadlineMs = nowMs + (this.#goaway?.afterMs ?? 0) + this.#backoffMs()
    this.#become("waiting")
  }

  #backoffMs(): number {
    return backoffMs(this.#options.backoff, this.#failures++, this.#options.random)
  }

  /** Nothing is under way any more. */
  #rest(): void {
    this.#fetching = false
    this.#deadlineMs = this.#renewAtMs = NEVER_MS
  }

  #become(status: ConnectionStatus, error?: HoldfastError): void {
    if (this.status === status) return
    this.status = status
    this.#ports.handleStatus(status, error)
  }

  #fetchToken(): void {
    this.#fetching = true
    this.#ports.fetchToken()
  }
}
