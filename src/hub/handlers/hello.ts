import { HoldfastError } from "../../protocol/error.ts"
import { errorCodes } from "../../protocol/error-codes.ts"
import type { Hello, Token } from "../../protocol/message.ts"
import { type Connection, idOf } from "../connection/connection.ts"
import type { Core } from "../core.ts"
import { enter, reauthorizePresence } from "./presence.ts"
import { reauthorize, subscribe } from "./subscribe.ts"

/** Lets the client in, or not; then serves every subscription that it brings along. */
export async function hello(core: Core, connection: Connection, message: Hello): Promise<void> {
  connection.state = "authenticating"
  connection.inbox.hold()
  try {
    admit(connection, await authenticate(core, connection, message.token))
  } catch (error) {
    refuse(core, connection, error)
    return
  } finally {
    if (core.authenticate === undefined) connection.request = undefined
    connection.inbox.release()
  }
  // the connection may have gone while the server made up its mind
  if ((connection.state as Connection["state"]) === "closed") return
  connection.state = "open"
  // of the user too: nobody takes another's place by knowing a session
  connection.member = core.entropy.digest(JSON.stringify([connection.userId ?? null, message.session]))
  core.connections.opened(connection)
  const { id, member } = connection
  const { heartbeatMs, messageBytesMax, idempotencyWindowMs } = core.limits
  connection.send({
    type: "welcome",
    connection: id,
    member,
    heartbeatMs,
    messageBytesMax,
    idempotencyWindowMs,
    ...expiryOf(core, connection),
  })
  core.logState.greet(connection)
  for (const request of message.subscriptions) {
    connection.inbox.run(request.channel, () => subscribe(core, connection, request))
  }
  for (const request of message.presence ?? []) {
    connection.inbox.run(request.channel, () => enter(core, connection, request))
  }
}

/**
 * Replaces the token before it expires. It has to be the same user's, who may be allowed less by now: so every subscription
 * and every presence is authorized anew.
 */
export async function token(core: Core, connection: Connection, message: Token): Promise<void> {
  try {
    const user = await authenticate(core, connection, message.token)
    if (idOf(user) !== connection.userId) {
      throw new HoldfastError("unauthorized", "the fresh token is not of the user that the connection is of")
    }
    admit(connection, user)
    for (const channel of connection.subscriptions.keys()) {
      connection.inbox.run(channel, () => reauthorize(core, connection, channel))
    }
    for (const channel of connection.entered?.keys() ?? []) {
      connection.inbox.run(channel, () => reauthorizePresence(core, connection, channel))
    }
    connection.send({ type: "token", ...expiryOf(core, connection) })
  } catch (error) {
    refuse(core, connection, error)
  }
}

function expiryOf(
  core: Core,
  { expiresAt }: Connection,
): { readonly expiresAt?: number; readonly now: number } {
  const now = core.clock.now()
  return Number.isFinite(expiresAt) ? { expiresAt, now } : { now }
}

async function authenticate(
  core: Core,
  { request }: Connection,
  credential: string | undefined,
): Promise<unknown> {
  return core.authenticate?.({ token: credential, request })
}

/** @throws TypeError when it is not clear until when */
function admit(connection: Connection, user: unknown): void {
  const expiresAt = (user as { expiresAt?: unknown } | null | undefined)?.expiresAt
  // as of a token without the claim that it was reckoned from: compared with, it would never come
  if (Number.isNaN(expiresAt)) throw new TypeError("what authenticate returned has NaN as expiresAt")
  connection.user = user
  connection.expiresAt = typeof expiresAt === "number" ? expiresAt : Number.POSITIVE_INFINITY
}

function refuse(core: Core, connection: Connection, error: unknown): void {
  const told =
    error instanceof HoldfastError ? error : new HoldfastError("unauthorized", errorCodes.unauthorized)
  if (told !== error) core.logger.warn("a connection was refused", { connection: connection.id, error })
  // its code and its sentence: what else it holds may be nothing that can travel
  connection.fail(new HoldfastError(told.code, told.message))
  connection.close("unauthorized", told.code)
}
