import {
  CLOSE_CUT,
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
import type { Route } from "./route.ts"

/** `waiting`: between two attempts to connect. `closed`: for good. */
export type ConnectionStatus = "connecting" | "open" | "waiting" | "closed"

/** What the connection asks of its driver. A line that cannot be opened may say so at once. */
export interface ConnectionPorts {
  readonly fetchToken: () => void
  /** Opens the next line by this transport, beside the one that is up, if there is one. */
  readonly openLine: (transport: number) => void
  /** If there is one: the next line, or the one that is up. */
  readonly closeLine: (isNext: boolean, code: number) => void
  /** The next line was let in: it takes the place of the one that is up. */
  readonly takeOver: () => void
  /** Over the line that is up. */
  readonly send: (message: ClientMessage) => void
  /** Told with every change. `error` is why it is closed, unless that was our wish. */
  readonly handleStatus: (status: ConnectionStatus, error?: HoldfastError) => void
  readonly handleError: (error: unknown) => void
}

export interface ConnectionOptions {
  /** For messages. */
  readonly url: string
  readonly backoff: Backoff
  /** How long an attempt may take: for the token, and then for the welcome, in ms. */
  readonly connectTimeoutMs: number
  /** Whether the server is shown a token. */
  readonly hasToken: boolean
  readonly random: () => number
  readonly route: Route
}

/** A connection that held for so long was a good one: the next back-off starts small again. */
const STABLE_MS = 5_000
/** How long to wait for a welcome when there is another transport to try. */
const PATIENCE_MS = 2_500
/** How long an answer may take to the question whether the line is still there. */
const PROBE_MS = 4_000
/** A token is renewed this long before it expires, or when a fifth of its life is left, if that is later. */
const RENEWAL_MARGIN_MS = 30_000
/** A token that is as good as expired must not make a busy loop. */
const RENEWAL_MS_MIN = 1_000

/** Pure: every input brings the time. Inputs are `handleX`; commands are plain verbs. */
export interface Connection {
  readonly status: ConnectionStatus
  /** What the server said when it let us in last. */
  readonly welcome: Welcome | undefined
  /** The server's clock is so far ahead of ours. */
  readonly serverAheadMs: number
  readonly token: string | undefined
  /** When the next attempt is made, unless one is under way. */
  readonly retryAtMs: number
  readonly nextTimeoutMs: () => number
  readonly connect: (nowMs: number) => void
  /** Gives the lines up and comes back at once, with a fresh token. */
  readonly reconnect: (nowMs: number) => void
  /** Without lines until it is nudged. */
  readonly suspend: () => void
  /** Something may have changed: comes back at once, or asks whether the line is still there. */
  readonly nudge: (nowMs: number) => void
  readonly close: (error?: HoldfastError) => void
  readonly handleToken: (token: string, nowMs: number) => void
  readonly handleTokenError: (error: unknown, nowMs: number) => void
  /** Looks at every message: whatever comes is a sign of life. */
  readonly handleMessage: (message: ServerMessage, isNext: boolean, nowMs: number) => void
  /** The line could not be opened, or what came over it is none of the protocol. */
  readonly handleLineError: (error: unknown, isNext: boolean, nowMs: number) => void
  readonly handleLineClose: (code: number, reason: string, isNext: boolean, nowMs: number) => void
  readonly handleTimeout: (nowMs: number) => void
}

/**
 * When to connect, by what, with which token, when to give a line up, and when to come back. There are at most two lines: the
 * one that is up, and the next, which takes its place as soon as it is let in.
 */
export function createConnection(options: ConnectionOptions, ports: ConnectionPorts): Connection {
  const { url, backoff, connectTimeoutMs, hasToken, random, route } = options
  let status: ConnectionStatus = "connecting"
  let welcome: Welcome | undefined
  let serverAheadMs = 0
  let token: string | undefined
  let fetching = false
  let failures = 0
  /** By which transports the next line is still to be tried. */
  let plan: number[] = []
  /** That of the next line, and of the one that is up. */
  let trying = 0
  let current = 0
  let goaway: GoAway | undefined
  /** The server has said on the line what is wrong. */
  let told = false
  /** The next line has come as far as the server. */
  let reached = false
  let openedAtMs = 0
  let heardAtMs = 0
  /** When to begin an attempt, to give it up, to take the line for dead, to keep it alive, and to renew the token. */
  let retryAtMs = NEVER_MS
  let lateAtMs = NEVER_MS
  let deadAtMs = NEVER_MS
  let quietAtMs = NEVER_MS
  let renewAtMs = NEVER_MS
  /** What the renewal follows from: each poll is answered with a welcome, and one that says the same puts nothing off. */
  let expiresAt: number | undefined = 0

  const isOpen = () => status === "open"
  const delayMs = () => backoffMs(backoff, failures++, random)
  const become = (next: ConnectionStatus, error?: HoldfastError) => {
    if (status === next) return
    status = next
    ports.handleStatus(status, error)
  }
  const fetchToken = () => {
    fetching = true
    ports.fetchToken()
  }
  /** Nothing is under way any more, over the line that was up or without one. */
  const rest = () => {
    fetching = false
    expiresAt = 0
    deadAtMs = quietAtMs = renewAtMs = NEVER_MS
  }
  const openNext = (nowMs: number) => {
    trying = plan.shift() as number
    reached = false
    const isLast = isOpen() || plan.length === 0
    lateAtMs = nowMs + (isLast ? connectTimeoutMs : Math.min(connectTimeoutMs, PATIENCE_MS))
    ports.openLine(trying)
  }
  const connect = (nowMs: number) => {
    retryAtMs = NEVER_MS
    lateAtMs = nowMs + connectTimeoutMs
    // beside a line that is up and good, only what is better
    plan = isOpen() && !goaway ? [...Array(current).keys()] : route.all(goaway && current)
    if (!isOpen()) {
      told = false
      become("connecting")
    }
    if (token === undefined && hasToken) fetchToken()
    else openNext(nowMs)
  }
  const wait = (nowMs: number) => {
    if (isOpen() && nowMs - openedAtMs >= STABLE_MS) failures = 0
    const fromMs = goaway && retryAtMs < NEVER_MS ? Math.max(nowMs, retryAtMs) : nowMs
    rest()
    goaway = undefined
    retryAtMs = fromMs + delayMs()
    become("waiting")
  }
  /** The attempt has failed with this transport. */
  const fail = (error: unknown, nowMs: number) => {
    lateAtMs = NEVER_MS
    if (plan.length > 0) openNext(nowMs)
    else if (isOpen()) retryAtMs = nowMs + (goaway ? delayMs() : route.climbMs(current))
    else {
      if (!told) ports.handleError(error)
      wait(nowMs)
    }
  }
  /** The line that was up is gone. If the next is under way, it depends on that. */
  const lose = (nowMs: number) => {
    if (lateAtMs === NEVER_MS) return wait(nowMs)
    rest()
    become("connecting")
  }
  const handleCut = (nowMs: number) =>
    route.handleCut(current, nowMs - openedAtMs, nowMs - heardAtMs, 3 * (welcome as Welcome).heartbeatMs)
  /** Gives up whatever there is. */
  const drop = (code: number, next: ConnectionStatus, error?: HoldfastError) => {
    ports.closeLine(true, code)
    ports.closeLine(false, code)
    rest()
    goaway = undefined
    lateAtMs = retryAtMs = NEVER_MS
    become(next, error)
  }
  const close = (error?: HoldfastError) => drop(CLOSE_NORMAL, "closed", error)
  const end = (reason: string) => {
    const error = new HoldfastError("closed", `The server ended it: ${reason}`)
    ports.handleError(error)
    close(error)
  }
  /** The server has to answer, or the line is taken for dead. */
  const probe = (nowMs: number) => {
    deadAtMs = Math.min(deadAtMs, nowMs + PROBE_MS)
    quietAtMs = NEVER_MS
    ports.send({ type: "ping" })
  }

  return {
    get status() {
      return status
    },
    get welcome() {
      return welcome
    },
    get serverAheadMs() {
      return serverAheadMs
    },
    get token() {
      return token
    },
    get retryAtMs() {
      return retryAtMs
    },
    nextTimeoutMs: () => Math.min(retryAtMs, lateAtMs, deadAtMs, quietAtMs, renewAtMs),
    connect,
    reconnect: (nowMs) => {
      if (status === "closed") return
      // not 1000, with which this member would leave presence for the moment
      drop(CLOSE_TIMEOUT, "connecting")
      token = undefined
      failures = 0
      connect(nowMs)
    },
    suspend: () => {
      if (status !== "closed") drop(CLOSE_TIMEOUT, "waiting")
    },
    nudge: (nowMs) => {
      if (isOpen()) probe(nowMs)
      else if (status !== "closed") {
        drop(CLOSE_TIMEOUT, "connecting")
        failures = 0
        connect(nowMs)
      }
    },
    close,

    handleToken: (fresh, nowMs) => {
      if (!fetching) return
      fetching = false
      token = fresh
      expiresAt = 0
      // the answer says when this one expires
      if (isOpen()) ports.send({ type: "token", token })
      else openNext(nowMs)
    },
    handleTokenError: (error, nowMs) => {
      if (!fetching) return
      fetching = false
      ports.handleError(error)
      if (isOpen()) renewAtMs = nowMs + delayMs()
      else {
        lateAtMs = NEVER_MS
        wait(nowMs)
      }
    },
    handleMessage: (message, isNext, nowMs) => {
      const { type } = message
      if (type === "error") told = true
      if (type === "goaway" && !(isNext && isOpen())) {
        // a line of requests has no close that would say so
        if (!message.reconnect) return end(message.reason)
        goaway = message
        if (!isNext && lateAtMs === NEVER_MS) retryAtMs = nowMs + message.afterMs
      }
      if (isNext) {
        reached = true
        if (type !== "welcome") return
        current = trying
        openedAtMs = nowMs
        goaway = undefined
        lateAtMs = NEVER_MS
        retryAtMs = nowMs + route.climbMs(current)
        route.handleWelcome(current)
        ports.takeOver()
      }
      if (type === "welcome") {
        welcome = message
        serverAheadMs = message.now - nowMs
        become("open")
      }
      if (hasToken && (type === "welcome" || type === "token")) {
        if (message.expiresAt !== expiresAt) {
          expiresAt = message.expiresAt
          const lifetimeMs = (expiresAt ?? NEVER_MS) - message.now
          renewAtMs = nowMs + Math.max(RENEWAL_MS_MIN, lifetimeMs - RENEWAL_MARGIN_MS, lifetimeMs * 0.8)
        }
      }
      if (type === "ping") ports.send({ type: "pong" })
      heardAtMs = nowMs
      deadAtMs = nowMs + 2 * (welcome as Welcome).heartbeatMs
      quietAtMs = nowMs + route.keepAliveMs
    },
    handleLineError: (error, isNext, nowMs) => {
      ports.closeLine(isNext, CLOSE_PROTOCOL_ERROR)
      if (isNext) return fail(error, nowMs)
      ports.handleError(error)
      lose(nowMs)
    },
    handleLineClose: (code, reason, isNext, nowMs) => {
      if (status === "closed") return
      const text = `${code}${reason && ` ${reason}`}`
      const isSpare = isNext && isOpen()
      if (!isSpare && !reconnectsAfter(code)) return end(text)
      const refused = code === CLOSE_UNAUTHORIZED
      if (refused && !isSpare) token = undefined
      const error = new HoldfastError(
        refused ? "unauthorized" : "connection_lost",
        `Cannot connect to ${url}: ${text}`,
      )
      if (isNext) {
        // the server itself has refused us, so another transport would not help
        if (reached || code !== CLOSE_CUT) plan = []
        return fail(error, nowMs)
      }
      if (refused && !told) ports.handleError(error)
      if (code === CLOSE_CUT) handleCut(nowMs)
      lose(nowMs)
    },
    handleTimeout: (nowMs) => {
      if (nowMs >= lateAtMs) {
        ports.closeLine(true, CLOSE_TIMEOUT)
        const isTokenLate = fetching && !isOpen()
        if (isTokenLate) plan = []
        fail(
          new HoldfastError("timeout", `Cannot connect to ${url}: no ${isTokenLate ? "token" : "answer"}`),
          nowMs,
        )
      } else if (nowMs >= deadAtMs) {
        ports.closeLine(false, CLOSE_TIMEOUT)
        handleCut(nowMs)
        lose(nowMs)
      } else if (nowMs >= retryAtMs) {
        connect(nowMs)
      } else if (nowMs >= renewAtMs) {
        renewAtMs = NEVER_MS
        fetchToken()
      } else if (nowMs >= quietAtMs) {
        probe(nowMs)
      }
    },
  }
}
