import { type CloseReason, closeCodes, reconnectsAfter } from "../protocol/close.ts"
import { HoldfastError } from "../protocol/error.ts"
import type { ClientMessage, GoAway, ServerMessage, Welcome } from "../protocol/message.ts"
import { type Backoff, backoffMs } from "./backoff.ts"
import { NEVER_MS } from "./clock.ts"

/** `waiting`: between two attempts to connect. `closed`: for good. */
export type ConnectionStatus = "connecting" | "open" | "waiting" | "closed"

/** What the connection asks of its driver, to be done in order. */
export type Action =
  | { readonly type: "fetchToken" }
  | { readonly type: "openLine" }
  | { readonly type: "closeLine"; readonly code: number; readonly reason: string }
  | { readonly type: "hello"; readonly token: string | undefined }
  | { readonly type: "send"; readonly message: ClientMessage }
  | { readonly type: "report"; readonly error: unknown }

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
 * When to connect, with which token, when to give a line up, and when to come back. Pure: every input brings the time,
 * and what is to be done is taken out with `takeActions`. Inputs are `handleX`; commands are plain verbs.
 */
export class Connection {
  status: ConnectionStatus = "connecting"
  /** What the server said when it let us in last. */
  welcome: Welcome | undefined
  /** Why it is closed, unless that was our wish. */
  error: HoldfastError | undefined
  readonly #options: ConnectionOptions
  #actions: Action[] = []
  #line = false
  #token: string | undefined
  #fetching = false
  #failures = 0
  /** When the attempt is given up, the wait is over, or the line is taken for dead. */
  #deadlineMs = NEVER_MS
  #renewAtMs = NEVER_MS
  #lifetimeMs = NEVER_MS
  #openedAtMs = 0
  #goaway: GoAway | undefined
  /** The server has said on this line what is wrong. */
  #told = false

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  takeActions(): Action[] {
    const actions = this.#actions
    this.#actions = []
    return actions
  }

  nextTimeoutMs(): number {
    return Math.min(this.#deadlineMs, this.#renewAtMs)
  }

  /** Starts an attempt now. */
  connect(nowMs: number): void {
    this.status = "connecting"
    this.#deadlineMs = nowMs + this.#options.connectTimeoutMs
    this.#goaway = undefined
    this.#told = false
    if (this.#token === undefined && this.#options.hasToken) this.#fetchToken()
    else this.#openLine()
  }

  /** Gives the line up and comes back at once, with a fresh token. */
  reconnect(nowMs: number): void {
    if (this.status === "closed") return
    // not 1000, with which this member would leave presence for the moment
    this.#closeLine("timeout", "reconnect")
    this.#rest()
    this.#token = undefined
    this.#failures = 0
    this.connect(nowMs)
  }

  close(): void {
    this.#closeLine("normal", "")
    this.#end(undefined)
  }

  handleToken(token: string, nowMs: number): void {
    if (!this.#fetching) return
    this.#fetching = false
    this.#token = token
    if (this.status === "connecting") {
      this.#openLine()
      return
    }
    this.#act({ type: "send", message: { type: "token", token } })
    // the server does not say when this one expires: it is taken to live as long as the first
    this.#renewAfter(this.#lifetimeMs, nowMs)
  }

  handleTokenError(error: unknown, nowMs: number): void {
    if (!this.#fetching) return
    this.#fetching = false
    this.#report(error)
    if (this.status === "connecting") this.#wait(nowMs)
    else this.#renewAtMs = nowMs + this.#backoffMs()
  }

  handleLineOpen(): void {
    this.#act({ type: "hello", token: this.#token })
  }

  /** Looks at every message: whatever comes is a sign of life. */
  handleMessage(message: ServerMessage, nowMs: number): void {
    if (message.type === "welcome") this.#handleWelcome(message, nowMs)
    else if (message.type === "ping") this.#act({ type: "send", message: { type: "pong" } })
    else if (message.type === "goaway") this.#goaway = message
    else if (message.type === "error") this.#told = true
    if (this.status === "open") this.#deadlineMs = nowMs + 2 * (this.welcome as Welcome).heartbeatMs
  }

  /** No line could be opened, or what came over it is none of the protocol. */
  handleLineError(error: unknown, nowMs: number): void {
    this.#report(error)
    this.#closeLine("protocolError", "")
    this.#wait(nowMs)
  }

  handleLineClose(code: number, reason: string, nowMs: number): void {
    this.#line = false
    const refused = code === closeCodes.unauthorized.code
    const text = `${code}${reason && ` ${reason}`}`
    if (!reconnectsAfter(code) || this.#goaway?.reconnect === false) {
      this.#end(new HoldfastError("closed", `The server ended the connection: ${text}`))
      return
    }
    if (refused) this.#token = undefined
    if (!this.#told && (refused || this.status === "connecting")) {
      this.#report(new HoldfastError(refused ? "unauthorized" : "connection_lost", `Cannot connect: ${text}`))
    }
    this.#wait(nowMs)
  }

  handleTimeout(nowMs: number): void {
    if (nowMs >= this.#deadlineMs) {
      if (this.status === "waiting") {
        this.connect(nowMs)
        return
      }
      if (this.status === "connecting")
        this.#report(new HoldfastError("timeout", "Cannot connect: no answer"))
      this.#closeLine("timeout", "")
      this.#wait(nowMs)
    } else if (nowMs >= this.#renewAtMs) {
      this.#renewAtMs = NEVER_MS
      this.#fetchToken()
    }
  }

  #handleWelcome(welcome: Welcome, nowMs: number): void {
    this.status = "open"
    this.welcome = welcome
    this.#openedAtMs = nowMs
    this.#lifetimeMs = (welcome.expiresAt ?? NEVER_MS) - welcome.now
    this.#renewAfter(this.#lifetimeMs, nowMs)
  }

  #renewAfter(lifetimeMs: number, nowMs: number): void {
    if (!this.#options.hasToken) return
    this.#renewAtMs = nowMs + Math.max(RENEWAL_MS_MIN, lifetimeMs - RENEWAL_MARGIN_MS, lifetimeMs * 0.8)
  }

  #wait(nowMs: number): void {
    if (this.status === "open" && nowMs - this.#openedAtMs >= STABLE_MS) this.#failures = 0
    this.status = "waiting"
    this.#rest()
    this.#deadlineMs = nowMs + (this.#goaway?.afterMs ?? 0) + this.#backoffMs()
  }

  #backoffMs(): number {
    return backoffMs(this.#options.backoff, this.#failures++, this.#options.random)
  }

  #end(error: HoldfastError | undefined): void {
    if (this.status === "closed") return
    this.status = "closed"
    this.error = error
    this.#rest()
  }

  /** Nothing is under way any more. */
  #rest(): void {
    this.#fetching = false
    this.#deadlineMs = this.#renewAtMs = NEVER_MS
  }

  #fetchToken(): void {
    this.#fetching = true
    this.#act({ type: "fetchToken" })
  }

  #openLine(): void {
    this.#line = true
    this.#act({ type: "openLine" })
  }

  #closeLine(why: CloseReason, reason: string): void {
    if (this.#line) this.#act({ type: "closeLine", code: closeCodes[why].code, reason })
    this.#line = false
  }

  #report(error: unknown): void {
    this.#act({ type: "report", error })
  }

  #act(action: Action): void {
    this.#actions.push(action)
  }
}
