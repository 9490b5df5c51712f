import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Hello, Token } from "../../protocol/message.ts"
import { belated } from "../connection/belated.ts"
import { type Connection, expire, idOf } from "../connection/connection.ts"
import type { Connections } from "../connection/connections.ts"
import { disconnected, type Ending, type Endings } from "../connection/endings.ts"
import type { LogState } from "../connection/log-state.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Entropy } from "../ports/entropy.ts"
import type { Logger } from "../ports/logger.ts"
import type { HandlerDeadline } from "./handler-deadline.ts"
import type { PresenceHandler } from "./presence.ts"
import type { SubscribeHandler } from "./subscribe.ts"

export type Authenticate = (credentials: {
  readonly token: string | undefined
  readonly request: unknown
}) => unknown

export interface HelloHandlerPorts {
  readonly authenticate: Authenticate | undefined
  readonly connections: Connections
  readonly endings: Endings
  readonly deadline: HandlerDeadline
  readonly logState: LogState
  readonly subscriptions: SubscribeHandler
  readonly presence: PresenceHandler
  readonly clock: Clock
  readonly entropy: Entropy
  readonly limits: Limits
  readonly logger: Logger
}

/** Lets clients in. */
export class HelloHandler {
  readonly #ports: HelloHandlerPorts

  constructor(ports: HelloHandlerPorts) {
    this.#ports = ports
  }

  /** Lets the client in, or not; then serves every subscription that it brings along. */
  async hello(connection: Connection, message: Hello): Promise<void> {
    connection.state = "authenticating"
    this.#ports.connections.handleHello(connection)
    connection.inbox.hold()
    try {
      this.#admit(connection, await this.#authenticate(connection, message.token))
    } catch (error) {
      this.#refuse(connection, error)
      return
    } finally {
      if (this.#ports.authenticate === undefined) connection.request = undefined
      connection.inbox.release()
    }
    // the connection may have gone while the server made up its mind
    if ((connection.state as Connection["state"]) === "closed") return
    // of the user too: nobody takes another's place by knowing a session
    connection.member = this.#ports.entropy.digest(
      JSON.stringify([connection.userId ?? null, message.session]),
    )
    connection.since = message.since
    const ending = this.#ports.endings.find(connection, sinceOf(connection, message))
    if (ending !== undefined && !this.#hasLastWords(connection, message, ending)) {
      this.#turnAway(connection, ending)
      return
    }
    this.#open(connection)
    this.#begin(connection, message)
  }

  /**
   * Replaces the token before it expires. It has to be the same user's, who may be allowed less by now: so every subscription
   * and every presence is authorized anew.
   */
  async token(connection: Connection, message: Token): Promise<void> {
    try {
      const user = await this.#authenticate(connection, message.token)
      if (connection.state !== "open") return
      if (idOf(user) !== connection.userId) {
        throw new HoldfastError(
          "unauthorized",
          "the fresh token is not of the user that the connection is of",
        )
      }
      this.#admit(connection, user)
      const { subscriptions, presence } = this.#ports
      for (const channel of connection.subscriptions.keys()) {
        connection.inbox.run(channel, () => subscriptions.reauthorize(connection, channel))
      }
      for (const channel of connection.entered?.keys() ?? []) {
        connection.inbox.run(channel, () => presence.reauthorize(connection, channel))
      }
      connection.send({ type: "token", ...this.#expiryOf(connection) })
    } catch (error) {
      this.#refuse(connection, error)
    }
  }

  #open(connection: Connection): void {
    const { logState, limits } = this.#ports
    connection.state = "open"
    const { id, member } = connection
    const { heartbeatMs, messageBytesMax, idempotencyWindowMs } = limits
    connection.send({
      type: "welcome",
      connection: id,
      member,
      heartbeatMs,
      messageBytesMax,
      idempotencyWindowMs,
      ...this.#expiryOf(connection),
    })
    logState.greet(connection)
  }

  #begin(connection: Connection, message: Hello): void {
    const { subscriptions, presence } = this.#ports
    const { inbox } = connection
    for (const request of message.subscriptions) {
      inbox.run(request.channel, () => subscriptions.subscribe(connection, request))
    }
    if (connection.belated !== undefined) return
    for (const request of message.presence ?? []) {
      inbox.run(request.channel, () => presence.enter(connection, request))
    }
  }

  #expiryOf({ expiresAt }: Connection): { readonly expiresAt?: number; readonly now: number } {
    const now = this.#ports.clock.now()
    return Number.isFinite(expiresAt) ? { expiresAt, now } : { now }
  }

  async #authenticate({ request }: Connection, token: string | undefined): Promise<unknown> {
    const { authenticate, deadline } = this.#ports
    if (authenticate === undefined) return undefined
    return deadline.run("authenticate", async () => authenticate({ token, request }))
  }

  /** @throws HoldfastError `token_expired`; TypeError when it is not clear which user it is, or until when */
  #admit(connection: Connection, user: unknown): void {
    const { clock } = this.#ports
    checkId(user)
    const expiresAt = expiryOf(user)
    const leftMs = expiresAt - clock.now()
    if (leftMs <= 0) throw new HoldfastError("token_expired", errorCodes.token_expired)
    connection.user = user
    connection.expiresAt = expiresAt
    connection.cancelExpiry?.()
    connection.cancelExpiry = undefined
    if (leftMs === Number.POSITIVE_INFINITY || connection.state === "closed") return
    connection.cancelExpiry = clock.after(leftMs, () => expire(connection))
  }

  /** A request with cursors still gets what was there when its client was ended. */
  #hasLastWords(connection: Connection, { subscriptions }: Hello, ending: Ending): boolean {
    const count = subscriptions.length
    const hasCursor = subscriptions.some(({ position }) => position !== undefined)
    if (ending.reconnect || !connection.isBrief || !hasCursor) return false
    connection.belated = belated(this.#ports, connection, ending, count)
    connection.leaves = true
    return true
  }

  /** The client was ended while it had no connection, or while the server made up its mind about this one. */
  #turnAway(connection: Connection, ending: Ending): void {
    const { reason, reconnect } = ending
    if (!reconnect) connection.fail(disconnected(ending))
    connection.close(reconnect ? "goingAway" : "disconnected", reason)
  }

  #refuse(connection: Connection, error: unknown): void {
    const told =
      error instanceof HoldfastError ? error : new HoldfastError("unauthorized", errorCodes.unauthorized)
    if (told !== error) this.#report(connection, error)
    // its code and its sentence: what else it holds may be nothing that can travel
    connection.fail(new HoldfastError(told.code, told.message))
    connection.close(told.code === "handler_timeout" ? "timeout" : "unauthorized", told.code)
  }

  #report({ id }: Connection, error: unknown): void {
    const { logger } = this.#ports
    if (error instanceof UnclearUser)
      logger.error("what authenticate returned is unclear", { connection: id, error })
    else logger.warn("a connection was refused", { connection: id, error })
  }
}

/** A defect of `authenticate`: the sentence says which. */
class UnclearUser extends TypeError {}

/** An id that is neither would count as none, and nothing that goes by it would find the user. */
function checkId(user: unknown): void {
  const id = (user as { id?: unknown } | null | undefined)?.id
  if (id === undefined || id === null || typeof id === "string" || Number.isFinite(id)) return
  throw new UnclearUser(
    `the id of the user that authenticate returned is ${described(id)}, and has to be a string or a number`,
  )
}

/**
 * Until when the user may be served, in ms since 1970.
 * @throws TypeError when it cannot be read: compared with, it would never come
 */
function expiryOf(user: unknown): number {
  const expiresAt =
    (user as { expiresAt?: unknown } | null | undefined)?.expiresAt ?? Number.POSITIVE_INFINITY
  const ms = isDate(expiresAt) ? expiresAt.getTime() : expiresAt
  if (typeof ms === "number" && !Number.isNaN(ms)) return ms
  throw new UnclearUser(
    `expiresAt of what authenticate returned is ${described(expiresAt)}, and has to be a number of ms since 1970 or a Date`,
  )
}

function described(value: unknown): string {
  if (typeof value === "string") return `the string "${value.slice(0, 40)}"`
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "bigint") return `${value}`
  return isDate(value) ? "an invalid Date" : `of type ${typeof value}`
}

/** Also one of another realm. */
function isDate(value: unknown): value is { getTime(): unknown } {
  return Object.prototype.toString.call(value) === "[object Date]"
}

/**
 * Since when the client is there, on the server's clock. One that comes with one request after the other, and with a cursor but
 * without that time, was there before.
 */
function sinceOf({ isBrief }: Connection, { since, subscriptions }: Hello): number | undefined {
  if (since !== undefined || !isBrief) return since
  return subscriptions.some(({ position }) => position !== undefined) ? 0 : undefined
}
