import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Hello, Token } from "../../protocol/message.ts"
import { type Connection, idOf } from "../connection/connection.ts"
import type { Connections } from "../connection/connections.ts"
import type { LogState } from "../connection/log-state.ts"
import type { Limits } from "../limits.ts"
import type { Clock } from "../ports/clock.ts"
import type { Entropy } from "../ports/entropy.ts"
import type { Logger } from "../ports/logger.ts"
import type { PresenceHandler } from "./presence.ts"
import type { SubscribeHandler } from "./subscribe.ts"

export type Authenticate = (credentials: {
  readonly token: string | undefined
  readonly request: unknown
}) => unknown

export interface HelloHandlerPorts {
  readonly authenticate: Authenticate | undefined
  readonly connections: Connections
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
    connection.inbox.hold()
    try {
      admit(connection, await this.#authenticate(connection, message.token))
    } catch (error) {
      this.#refuse(connection, error)
      return
    } finally {
      if (this.#ports.authenticate === undefined) connection.request = undefined
      connection.inbox.release()
    }
    // the connection may have gone while the server made up its mind
    if ((connection.state as Connection["state"]) === "closed") return
    this.#open(connection, message)
    this.#begin(connection, message)
  }

  /**
   * Replaces the token before it expires. It has to be the same user's, who may be allowed less by now: so every subscription
   * and every presence is authorized anew.
   */
  async token(connection: Connection, message: Token): Promise<void> {
    try {
      const user = await this.#authenticate(connection, message.token)
      if (idOf(user) !== connection.userId) {
        throw new HoldfastError(
          "unauthorized",
          "the fresh token is not of the user that the connection is of",
        )
      }
      admit(connection, user)
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

  #open(connection: Connection, message: Hello): void {
    const { connections, logState, entropy, limits } = this.#ports
    connection.state = "open"
    // of the user too: nobody takes another's place by knowing a session
    connection.member = entropy.digest(JSON.stringify([connection.userId ?? null, message.session]))
    connections.opened(connection)
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
    for (const request of message.presence ?? []) {
      inbox.run(request.channel, () => presence.enter(connection, request))
    }
  }

  #expiryOf({ expiresAt }: Connection): { readonly expiresAt?: number; readonly now: number } {
    const now = this.#ports.clock.now()
    return Number.isFinite(expiresAt) ? { expiresAt, now } : { now }
  }

  async #authenticate({ request }: Connection, token: string | undefined): Promise<unknown> {
    return this.#ports.authenticate?.({ token, request })
  }

  #refuse(connection: Connection, error: unknown): void {
    const told =
      error instanceof HoldfastError ? error : new HoldfastError("unauthorized", errorCodes.unauthorized)
    if (told !== error)
      this.#ports.logger.warn("a connection was refused", { connection: connection.id, error })
    // its code and its sentence: what else it holds may be nothing that can travel
    connection.fail(new HoldfastError(told.code, told.message))
    connection.close("unauthorized", told.code)
  }
}

/** @throws TypeError when it is not clear until when */
function admit(connection: Connection, user: unknown): void {
  const expiresAt = (user as { expiresAt?: unknown } | null | undefined)?.expiresAt
  // as of a token without the claim that it was reckoned from: compared with, it would never come
  if (Number.isNaN(expiresAt)) throw new TypeError("what authenticate returned has NaN as expiresAt")
  connection.user = user
  connection.expiresAt = typeof expiresAt === "number" ? expiresAt : Number.POSITIVE_INFINITY
}
